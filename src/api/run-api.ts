import { errorMessage } from '../errors.ts';
import { builtPages } from '../http/page-files.ts';
import { loadModel } from '../model/load-model.ts';
import { createLogger } from '../process/logger.ts';
import { runUntilStopped } from '../process/run.ts';
import { loadTracing } from '../tracing/load-tracing.ts';
import { type ApiDeps, startApi } from './start-api.ts';

/**
 * Runs the API as this process, until a signal ends it.
 * @param readOptions  reads the settings. If it throws, the process ends with code 1 and prints the problem.
 * @example await runApi(() => ({ config: loadApiConfig(process.env) }));
 */
export async function runApi(
  readOptions: () => Pick<ApiDeps, 'config' | 'routes' | 'connectOrigins'>,
): Promise<void> {
  try {
    const options = readOptions();
    const { config } = options;
    const model = await loadModel(config.EMISSIONS_MODEL);
    const tracing = loadTracing();
    const { logger, warnings, close } = createLogger({
      level: config.LOG_LEVEL,
      dir: config.LOG_DIR,
      maxFiles: config.LOG_FILES,
      maxFileMb: config.LOG_FILE_MAX_MB,
      name: 'api',
      fields: tracing?.logFields,
    });
    runUntilStopped({
      name: 'the API',
      logger,
      flushLogs: close,
      async start() {
        const api = await startApi({
          ...options,
          model,
          logger,
          pageDir: builtPages(),
          logWarnings: warnings,
          tracing,
        });
        logger.info({ url: api.url }, 'listening');
        return api;
      },
    });
  } catch (error) {
    console.error(errorMessage(error));
    process.exit(1);
  }
}
