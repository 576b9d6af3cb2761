import { pino } from 'pino';
import { loadApiConfig } from '../../src/config.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createLogger } from '../../src/process/logger.ts';
import { startApi } from '../../src/api/start-api.ts';

/** The API with its gateway, as in production. */
const config = loadApiConfig(process.env);
const { logger } = createLogger({ level: config.LOG_LEVEL, dir: config.LOG_DIR, name: 'api' });
const api = await startApi({
  config,
  model: DEFAULT_MODEL,
  logger: process.env['BENCH_SILENT'] ? pino({ level: 'silent' }) : logger,
  tracing: undefined,
  pageDir: 'dist/page',
});
process.send?.({ url: api.url });
process.once('SIGTERM', () => {
  void api.close().then(() => process.exit(0));
});
