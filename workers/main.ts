import { loadWorkerConfig } from '../src/config.ts';
import { errorMessage } from '../src/errors.ts';
import { loadModel } from '../src/model/load-model.ts';
import { createLogger } from '../src/process/logger.ts';
import { runUntilStopped } from '../src/process/run.ts';
import { loadTracing } from '../src/tracing/load-tracing.ts';
import { startWorker } from './start-worker.ts';

try {
  const config = loadWorkerConfig(process.env);
  const model = await loadModel(config.EMISSIONS_MODEL);
  const tracing = loadTracing();
  const { logger, warnings, close } = createLogger({
    level: config.LOG_LEVEL,
    dir: config.LOG_DIR,
    maxFiles: config.LOG_FILES,
    maxFileMb: config.LOG_FILE_MAX_MB,
    name: 'worker',
    fields: tracing?.logFields,
  });
  runUntilStopped({
    name: 'the worker',
    logger,
    flushLogs: close,
    start() {
      const worker = startWorker({ config, model, logger, logWarnings: warnings, tracing });
      logger.info({ concurrency: config.WORKER_CONCURRENCY }, 'working');
      return worker;
    },
  });
} catch (error) {
  console.error(errorMessage(error));
  process.exit(1);
}
