import { fileURLToPath } from 'node:url';
import { loadApiConfig } from '../config.ts';
import { errorMessage } from '../errors.ts';
import { createLogger } from '../process/logger.ts';
import { runUntilStopped } from '../process/run.ts';
import { startApi } from './start-api.ts';

try {
  const config = loadApiConfig(process.env);
  const { logger, warnings, close } = createLogger({
    level: config.LOG_LEVEL,
    dir: config.LOG_DIR,
    name: 'api',
  });
  runUntilStopped({
    name: 'the API',
    logger,
    flushLogs: close,
    async start() {
      const pageDir = fileURLToPath(new URL('.', import.meta.resolve('#page/index.html')));
      const api = await startApi({ config, logger, pageDir, logWarnings: warnings });
      logger.info({ url: api.url }, 'listening');
      return api;
    },
  });
} catch (error) {
  console.error(errorMessage(error));
  process.exit(1);
}
