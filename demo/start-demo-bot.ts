import { createServer } from 'node:http';
import {
  createMessageFlowLogger,
  createToolHandlers,
  type RealtimeAppointments,
} from '@appointment-emissions/bot';
import { boundConnections } from '../src/access/bound-connections.ts';
import { listen } from '../src/process/listen.ts';
import type { Logger } from '../src/process/logger.ts';
import { connectMongo } from '../src/population/connect.ts';
import { createThrottledLog } from '../src/process/throttled-log.ts';
import { watchMongo } from '../src/redis/watch-mongo.ts';
import { createBookingService } from './booking-service.ts';
import { createBotApp } from './bot-app.ts';
import { CLOSES_AT_MINUTES, DEMO_COMPANY, OPENS_AT_MINUTES } from './catalogue.ts';
import { createReadCatalogue } from './read-catalogue.ts';

export interface DemoBotDeps {
  mongodbUri: string;
  /** Port on the loopback interface. */
  port: number;
  pageOrigins: readonly string[];
  timeZone: string;
  logDir: string;
  realtime: RealtimeAppointments;
  logger: Logger;
}

const STALL_TIMEOUT_MS = 30_000;
/** Requests that are not answered in this time are cut off at the end of the process. */
const CLOSE_WITHIN_MS = 3_000;

/** Composition root of the demo bot. The bot runs in a separate process and depends on MongoDB only. */
export async function startDemoBot(deps: DemoBotDeps): Promise<{ url: string; close: () => Promise<void> }> {
  const { mongodbUri, port, pageOrigins, timeZone, logDir, realtime, logger } = deps;
  const logFailed = createThrottledLog(logger, 'request failed');
  const mongo = connectMongo(mongodbUri, { serverSelectionMs: 2_000, ...watchMongo(logger) });
  const { connection } = mongo;
  const messageFlow = createMessageFlowLogger({ logDir });
  const bookings = createBookingService({ connection, companyId: DEMO_COMPANY.id });
  // If it fails, the first booking tries again.
  mongo.connected.then(() => bookings.prepare()).catch(() => undefined);
  const handlers = createToolHandlers({ bookings, realtime, logger: messageFlow });
  const read = createReadCatalogue(connection, DEMO_COMPANY.id);

  const server = createServer(
    createBotApp({
      handlers,
      catalogue: async () => ({
        companyName: DEMO_COMPANY.name,
        timeZone,
        opensAt: OPENS_AT_MINUTES,
        closesAt: CLOSES_AT_MINUTES,
        ...(await read.catalogue()),
      }),
      appointments: () => read.appointments(new Date()),
      pageOrigins,
      onFault: (error) => {
        logFailed({}, error);
      },
    }),
  );
  const bounds = boundConnections(server, {
    stallTimeoutMs: STALL_TIMEOUT_MS,
    onCut: (reason) => {
      logger.warn({ reason }, 'connection cut');
    },
  });
  const opened = await listen(server, { port, host: '127.0.0.1', setting: 'DEMO_BOT_URL', logger });
  return {
    url: `http://127.0.0.1:${opened}`,
    async close() {
      bounds.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const cut = setTimeout(() => {
        server.closeAllConnections();
      }, CLOSE_WITHIN_MS);
      await closed;
      clearTimeout(cut);
      await handlers.close();
      await realtime.close();
      await messageFlow.close();
      await mongo.close();
    },
  };
}
