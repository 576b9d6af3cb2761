/**
 * Measures how much latency the bot library adds to a booking through the tool handlers, for each state of the backend:
 * healthy, slow, rejecting, crashing after it accepted, unreachable.
 * Usage: `node --import tsx bench/bot-latency.ts [bookings]`. Uses `MONGODB_URI` if set, else starts a MongoDB.
 */
import mongoose, { Types } from 'mongoose';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startMongo } from '../scripts/services/mongo.ts';
import {
  type BookingService,
  createMessageFlowLogger,
  createRealtimeAppointments,
  createToolHandlers,
} from '@appointment-emissions/bot';
import { createBookingService } from '../demo/booking-service.ts';

const BOOKINGS = Number(process.argv[2] ?? 200);
const KEY = 'bench-key-0123456789abcdef0123456789abcdef';
const LIMIT_MS = 50;

const accept: RequestListener = (_, response) => {
  response.writeHead(202, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ success: true, emissionId: 'e' }));
};
const BACKENDS: Record<string, RequestListener | undefined> = {
  healthy: accept,
  'slow (1 s)': (request, response) => void setTimeout(accept, 1_000, request, response),
  rejecting: (_, response) => void response.writeHead(503).end(),
  'crashing after accept': (request) => void request.resume().on('end', () => request.destroy()),
  unreachable: undefined,
};

interface Sample {
  totalMs: number;
  bookingMs: number;
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

async function startBackend(
  listener: RequestListener | undefined,
): Promise<{ url: string; stop: () => void }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => listener?.(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  if (listener === undefined) stop();
  return { url, stop };
}

async function openCalendar(uri: string) {
  const connection = await mongoose.createConnection(uri, { dbName: `bench_bot_${process.pid}` }).asPromise();
  const companyId = new Types.ObjectId();
  const insert = async (collection: string, fields: object = {}): Promise<string> =>
    String((await connection.collection(collection).insertOne({ companyId, ...fields })).insertedId);
  const customerId = await insert('customers');
  const petId = await insert('pets', { customerId: new Types.ObjectId(customerId) });
  const serviceId = await insert('services');
  return {
    bookings: createBookingService({ connection, companyId: String(companyId) }),
    /** Arguments for bookings that never conflict: a new groomer, and one booking every five minutes. */
    async argumentsFor(count: number) {
      const staffId = await insert('staff');
      const first = Math.ceil(Date.now() / 300_000) + 12;
      return Array.from({ length: count }, (_, n) => ({
        ...{ customerId, petId, serviceId, staffId, durationMinutes: 5 },
        start: new Date((first + n) * 300_000).toISOString(),
      }));
    },
    async close() {
      await connection.dropDatabase();
      await connection.close();
    },
  };
}

type Calendar = Awaited<ReturnType<typeof openCalendar>>;

/** Books sequentially. Each sample holds the total duration and the duration of the database write alone. */
async function measure(calendar: Calendar, backendUrl: string | undefined, logDir: string, warmUp = 0) {
  let bookingMs = 0;
  const bookings: BookingService = {
    ...calendar.bookings,
    async book(request) {
      const startedAt = performance.now();
      const outcome = await calendar.bookings.book(request);
      bookingMs = performance.now() - startedAt;
      return outcome;
    },
  };
  const logger = createMessageFlowLogger({ logDir });
  const realtime = createRealtimeAppointments({
    backendUrl,
    apiKey: KEY,
    logger,
    // Without a warm-up the circuit breaker never opens, so each booking pays for a backend that has just failed.
    failuresToOpen: warmUp > 0 ? undefined : 1e9,
  });
  const handlers = createToolHandlers({ bookings, realtime, logger });
  const silent = { ...realtime, emitAppointmentCreated: () => Promise.resolve(true) };
  const measured =
    backendUrl === undefined ? createToolHandlers({ bookings, realtime: silent, logger }) : handlers;

  const samples: Sample[] = [];
  for (const [n, args] of (await calendar.argumentsFor(warmUp + BOOKINGS)).entries()) {
    const startedAt = performance.now();
    const { ok, message } = await measured.handle('book_appointment', args);
    if (!ok) throw new Error(message);
    if (n >= warmUp) samples.push({ totalMs: performance.now() - startedAt, bookingMs });
    // After the last warm-up booking, wait until the circuit breaker has settled.
    if (n === warmUp - 1) await measured.close();
  }
  await measured.close();
  await realtime.close();
  await logger.close();
  return samples;
}

function row(samples: Sample[], withoutP99: number) {
  const added = samples.map(({ totalMs, bookingMs }) => totalMs - bookingMs);
  const p99 = quantile(
    samples.map(({ totalMs }) => totalMs),
    0.99,
  );
  return {
    'booking p99 ms': p99.toFixed(1),
    'added p50 ms': quantile(added, 0.5).toFixed(2),
    'added p99 ms': quantile(added, 0.99).toFixed(2),
    'p99 relative to no library': `${(p99 / withoutP99).toFixed(2)}×`,
  };
}

const directory = await mkdtemp(path.join(tmpdir(), 'bench-bot-'));
const configuredUri = process.env.MONGODB_URI;
const mongo =
  configuredUri === undefined ? await startMongo({ dir: path.join(directory, 'mongo') }) : undefined;
const calendar = await openCalendar(configuredUri ?? mongo!.url);
try {
  await measure(calendar, undefined, directory);
  const without = await measure(calendar, undefined, directory);
  const withoutP99 = quantile(
    without.map(({ totalMs }) => totalMs),
    0.99,
  );
  const table: Record<string, ReturnType<typeof row>> = { 'no library': row(without, withoutP99) };
  for (const [name, listener] of Object.entries(BACKENDS)) {
    const backend = await startBackend(listener);
    table[name] = row(await measure(calendar, backend.url, directory), withoutP99);
    if (name === 'rejecting' || name === 'crashing after accept' || name === 'unreachable') {
      table[`${name}, circuit open`] = row(await measure(calendar, backend.url, directory, 5), withoutP99);
    }
    backend.stop();
  }
  console.log(
    `${BOOKINGS} sequential bookings in each state; the handlers wait at most ${LIMIT_MS} ms for an emission`,
  );
  console.table(table);
} finally {
  await calendar.close();
  await mongo?.stop();
  await rm(directory, { recursive: true, force: true });
}
