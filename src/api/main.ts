import { fileURLToPath } from 'node:url';
import { ConfigError, loadApiConfig } from '../config.ts';
import { messageOf } from '../errors.ts';
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
  const pageDir = fileURLToPath(new URL('.', import.meta.resolve('#page/index.html')));
  const api = await startApi({ config, logger, pageDir, logWarnings: warnings });
  logger.info({ url: api.url }, 'listening');
  runUntilStopped(api, logger, close);
} catch (error) {
  const inUse = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  const words = inUse ? `${error.message}: set PORT to a free one` : messageOf(error);
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : `the API did not start: ${words}`}\n`,
  );
  process.exit(1);
}
