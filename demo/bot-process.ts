/**
 * Entry file of the demo bot. It reads `MONGODB_URI`, `DEMO_BOT_URL` (its own address), `PORT` (of the page),
 * `DASHBOARD_TIME_ZONE`, `LOG_LEVEL` and `LOG_DIR`. The bot library reads `BACKEND_API_URL` and `INTERNAL_SERVICE_API_KEY`.
 */
import { env } from 'node:process';
import {
  closeRealtimeAppointments,
  emitAppointmentCanceled,
  emitAppointmentCreated,
  emitAppointmentDeleted,
  emitAppointmentUpdated,
  emitBatch,
} from '@appointment-emissions/bot';
import { errorMessage } from '../src/errors.ts';
import { createLogger } from '../src/process/logger.ts';
import { runUntilStopped } from '../src/process/run.ts';
import { readDemoSettings } from './demo-settings.ts';
import { startDemoBot } from './start-demo-bot.ts';

const { PORT = '3001', LOG_DIR = 'logs' } = env;
const { mongodbUri, botUrl, timeZone } = readSettings();
const { logger, close } = createLogger({ level: env.LOG_LEVEL ?? 'info', dir: LOG_DIR, name: 'bot' });
runUntilStopped({
  name: 'the bot',
  logger,
  flushLogs: close,
  async start() {
    const bot = await startDemoBot({
      mongodbUri,
      port: Number(new URL(botUrl).port),
      pageOrigins: [`http://localhost:${PORT}`, `http://127.0.0.1:${PORT}`],
      timeZone,
      logDir: LOG_DIR,
      realtime: {
        emitAppointmentCreated,
        emitAppointmentUpdated,
        emitAppointmentCanceled,
        emitAppointmentDeleted,
        emitBatch,
        close: closeRealtimeAppointments,
      },
      logger,
    });
    logger.info({ url: bot.url }, 'listening');
    return bot;
  },
});

/** Ends the process if a setting is missing or invalid. */
function readSettings() {
  try {
    const { botUrl, timeZone } = readDemoSettings(env);
    const { MONGODB_URI: mongodbUri } = env;
    if (!mongodbUri || !botUrl) throw new RangeError('MONGODB_URI and DEMO_BOT_URL are required');
    return { mongodbUri, botUrl, timeZone };
  } catch (error) {
    process.stderr.write(`the demo bot cannot start: ${errorMessage(error)}\n`);
    process.exit(1);
  }
}
