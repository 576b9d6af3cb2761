import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { setTimeout as pause } from 'node:timers/promises';
import { io as connect, type Socket } from 'socket.io-client';
import type { StreamPosition, PositionUpdate } from '@appointment-emissions/contracts';
import { createCompanyTurns } from '../../src/access/company-turns.ts';
import { announcePositions } from '../../src/realtime/announce-positions.ts';
import type { CatchUpFrom, Replay } from '../../src/realtime/catch-up.ts';
import { createIo } from '../../src/realtime/create-io.ts';
import type { DashboardServer } from '../../src/realtime/dashboard-server.ts';
import { attachGateway } from '../../src/realtime/gateway.ts';
import { createScopedSockets } from '../../src/realtime/scopes/scoped-sockets.ts';
import { appointment, meta } from '../dashboard/appointment-fixture.ts';
import { eventually } from '../harness/until.ts';

const COMPANY = 'c'.repeat(24);
const HEAD: StreamPosition = { epoch: 'e', offset: 9 };
const ended: (() => unknown)[] = [];
let url: string;
/** The gateway's catch-up; each test sets it. */
let catchUp: (from: CatchUpFrom) => Promise<Replay>;
/** The head, while Redis answers. */
let head: () => Promise<StreamPosition>;
/** Connections that the server has accepted, as the turns of the companies know. */
let accepted: number;

beforeEach(async () => {
  head = () => Promise.resolve(HEAD);
  accepted = 0;
  const server = createServer();
  const redis = new Redis(process.env['TEST_REDIS_URL']!, { replyMapping: 'legacy' });
  const subscriber = redis.duplicate();
  const adapterKey = `placing-${process.hrtime.bigint()}`;
  const scopedSockets = createScopedSockets(() => io);
  const turns = {
    ...createCompanyTurns(),
    accepted: () => {
      accepted += 1;
    },
  };
  const io: DashboardServer = createIo({
    httpServer: server,
    publisher: redis,
    subscriber,
    adapterKey,
    transports: ['websocket'],
    corsOrigins: [],
    maxMessageBytes: 16_384,
    addressOf: () => '127.0.0.1',
    turns,
    reportDamage: () => undefined,
    deliverScoped: scopedSockets.deliver,
    deliverInPieces: () => false,
  });
  attachGateway({
    now: Date.now,
    io,
    scopedSockets,
    catchUpsPerWindow: 10,
    verifyToken: () =>
      Promise.resolve({ companyId: COMPANY, expiresAt: Date.now() + 60_000, share: COMPANY }),
    takeCatchUp: () => true,
    turns,
    catchUp: (_company, from) => catchUp(from),
    pause: (ms) => pause(ms),
    onFault: () => undefined,
    onCatchUp: () => undefined,
  });
  const announcer = announcePositions({
    io,
    head: () => head(),
    subscriber,
    adapterKey,
    turns,
    intervalMs: 50,
    pause: () => Promise.resolve(),
    onFault: () => undefined,
    beforePosition: scopedSockets.settle,
  });
  await announcer.subscribed;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  ended.push(
    () => {
      redis.disconnect();
    },
    () => {
      subscriber.disconnect();
    },
    announcer.close,
    () => io.close(),
  );
});
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** A plain listener, and all positions and events that it received, in order. */
function dashboard(position?: StreamPosition): { socket: Socket; received: (PositionUpdate | string)[] } {
  const socket = connect(url, { forceNew: true, transports: ['websocket'], auth: { token: 't', position } });
  const received: (PositionUpdate | string)[] = [];
  socket.on('emissions:position', (place: PositionUpdate) => received.push(place));
  socket.on('appointment:updated', ({ appointment: { _id } }: { appointment: { _id: string } }) =>
    received.push(_id),
  );
  ended.push(() => socket.close());
  return { socket, received };
}

test('a dashboard that waits for its replay is never sent the head as its position', async () => {
  let answer: (replay: Replay) => void = () => undefined;
  let hasCaughtUp = false;
  catchUp = (from) => {
    if (!from) return Promise.resolve({ events: [], position: { ...HEAD, recovered: true } });
    hasCaughtUp = true;
    return new Promise((resolve) => (answer = resolve));
  };
  const behind = dashboard({ epoch: 'e', offset: 5 });
  await eventually('the catch-up', () => hasCaughtUp);
  const placed = dashboard();
  // The other dashboard received the head several times; the one that waits did not, or would take it for its position.
  await eventually('announcements', () => placed.received.length > 4);
  expect(behind.received).toEqual([]);

  answer({
    events: [
      {
        event: 'appointment:updated',
        payload: { appointment: appointment({ _id: 'missed' }) },
        meta: meta({ epoch: 'e', offset: 9, read: 1 }),
      },
    ],
    position: { ...HEAD, recovered: true },
  });
  await eventually('its position', () => behind.received.length > 2);
  expect(behind.received.slice(0, 3)).toEqual([
    'missed',
    { ...HEAD, recovered: true },
    { ...HEAD, recovered: true },
  ]);
});

test('each connection that the server accepts counts in the turns of the companies', async () => {
  catchUp = () => Promise.resolve({ events: [], position: { ...HEAD, recovered: true } });
  const dashboards = [dashboard(), dashboard()];
  await eventually('positions', () => dashboards.every(({ received }) => received.length > 0));
  expect(accepted).toBe(2);
});
