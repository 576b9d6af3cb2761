import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { Server } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { companyRoom, type PositionUpdate } from '@appointment-emissions/contracts';
import { createCompanyTurns } from '../../src/access/company-turns.ts';
import { announcePositions } from '../../src/realtime/announce-positions.ts';
import type { DashboardServer, DashboardSocket } from '../../src/realtime/dashboard-server.ts';
import { connectRedis } from '../../src/redis/connect.ts';
import { eventually } from '../harness/until.ts';

const COMPANIES = Array.from({ length: 20 }, (_, n) => `${'c'.repeat(22)}${n.toString(16).padStart(2, '0')}`);

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A gateway with one dashboard of each company. */
async function openGateway() {
  const http = createServer();
  const io: DashboardServer = new Server(http);
  ends.push(() => io.close());
  io.on('connection', (socket: DashboardSocket) => {
    const { companyId } = socket.handshake.auth as { companyId: string };
    socket.data.emissions = {
      companyId,
      share: '',
      wantsPositions: true,
      caughtUpTo: { epoch: 'e', offset: 0 },
    };
    void socket.join(companyRoom(companyId));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const positions = new Map<string, PositionUpdate[]>();
  for (const companyId of COMPANIES) {
    const options = { auth: { companyId }, forceNew: true, transports: ['websocket'] };
    const client = connect(`http://127.0.0.1:${port}`, options);
    ends.push(() => client.close());
    const received: PositionUpdate[] = [];
    positions.set(companyId, received);
    client.on('emissions:position', (position: PositionUpdate) => received.push(position));
  }
  await eventually('all to be connected', () => io.of('/').sockets.size === COMPANIES.length);
  return { io, positions };
}

test('each company is announced in each interval, and the companies are spread over it', async () => {
  const { io, positions } = await openGateway();
  const subscriber = connectRedis(process.env['TEST_REDIS_URL']!, 'subscriber');
  ends.push(() => {
    subscriber.disconnect();
  });
  const reads: string[][] = [];
  let together: string[] | undefined;
  const announcer = announcePositions({
    io,
    subscriber,
    adapterKey: `t${process.pid}`,
    turns: createCompanyTurns(),
    intervalMs: 1_000,
    pause: (ms) => pause(ms / 10),
    head: (companyId) => {
      if (!together) {
        reads.push((together = []));
        setImmediate(() => (together = undefined));
      }
      together.push(companyId);
      return Promise.resolve({ epoch: 'e', offset: reads.length });
    },
    onFault: (error) => {
      throw error;
    },
    beforePosition: () => undefined,
  });
  ends.push(announcer.close);
  await announcer.subscribed;
  const receivedByAll = (count: number) => () =>
    [...positions.values()].every(({ length }) => length >= count);
  await eventually('the first position on each dashboard', receivedByAll(1));
  reads.length = 0;
  await eventually('two further ones', receivedByAll(3));
  for (const companyIds of reads) expect(companyIds).toHaveLength(1);
  expect([...positions.values()].flat().every(({ recovered }) => recovered)).toBe(true);
});

test('a position is sent after the events of its company that wait to be written', async () => {
  const { io, positions } = await openGateway();
  const subscriber = connectRedis(process.env['TEST_REDIS_URL']!, 'subscriber');
  ends.push(() => {
    subscriber.disconnect();
  });
  const [companyId] = COMPANIES;
  const received = positions.get(companyId!)!;
  const order: string[] = [];
  const turns = createCompanyTurns();
  let hasEvent = false;
  const announcer = announcePositions({
    ...{ io, subscriber, turns, intervalMs: 60_000 },
    adapterKey: `t${process.pid}`,
    head: () => Promise.resolve({ epoch: 'e', offset: 1 }),
    pause: () => {
      // Once, although it is called for each company. The first event runs at once, the others wait.
      for (let n = 0; n < 5 && !hasEvent; n += 1)
        void turns.piece('message', companyId!, () => order.push('event'));
      hasEvent = true;
      return Promise.resolve();
    },
    onFault: (error) => {
      throw error;
    },
    beforePosition: ({ data }) => {
      if (data.emissions.companyId === companyId) order.push('position');
    },
  });
  ends.push(announcer.close);
  await eventually('the position', () => hasEvent && received.length > 0);
  expect(order).toEqual(['event', 'event', 'event', 'event', 'event', 'position']);
});
