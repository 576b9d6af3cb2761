import { loadWorkerConfig } from '../../src/config.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createLogger } from '../../src/process/logger.ts';
import { startWorker } from '../../workers/start-worker.ts';

/** The worker, as in production. */
const config = loadWorkerConfig(process.env);
const { logger } = createLogger({ level: config.LOG_LEVEL, dir: config.LOG_DIR, name: 'worker' });
const worker = startWorker({ config, model: DEFAULT_MODEL, logger, tracing: undefined });
process.send?.({ ready: true });
process.once('SIGTERM', () => {
  void worker.close().then(() => process.exit(0));
});
