import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import type { AppointmentPayload, EmissionMeta, StreamPosition } from '@appointment-emissions/contracts';
import type { Company } from '../harness/documents.ts';
import type { Spawned } from '../harness/processes.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { announceChange } from './bot.ts';
import { allEqualList, openScreen } from './screens.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';

const LOG_MAX = 5;
let world: World;
let api: Spawned;
/** Proxy between the dashboards and the API. */
let network: TcpProxy;
let company: Company;
let url: string;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', COMPANY_LOG_MAX: String(LOG_MAX) } });
  [api] = await Promise.all([world.apiProcess(), world.workerProcess()]);
  network = await startTcpProxy(Number(new URL(api.url).port));
  url = `http://127.0.0.1:${network.port}`;
});
afterAll(async () => {
  await world.close();
  await network.close();
});
beforeEach(async () => {
  company = await world.documents.company();
});

/** A plain socket.io-client that reconnects by itself, with or without its last stream position. */
async function plainListener({ sendsPosition }: { sendsPosition: boolean }) {
  const token = await world.token(company.companyId);
  const received: string[] = [];
  let last: StreamPosition | undefined;
  const socket = io(url, {
    forceNew: true,
    reconnectionDelay: 100,
    reconnectionDelayMax: 200,
    auth: (send: (auth: object) => void) => {
      send({ token, position: sendsPosition ? last : undefined });
    },
  });
  world.keep(socket, () => socket.close());
  socket.on('emissions:position', ({ epoch, offset }: StreamPosition) => {
    last = { epoch, offset };
  });
  socket.on('appointment:updated', ({ appointment }: AppointmentPayload, { replayed }: EmissionMeta) => {
    received.push(`${appointment.notes ?? ''}${replayed ? ' again' : ''}`);
  });
  await eventually('the plain listener to receive a position', () => last);
  return { received, socket };
}

test('a dashboard that is disconnected briefly receives what it missed, in order, without a reload', async () => {
  const screen = await openScreen(world, url, company.companyId);
  const [placed, unplaced] = await Promise.all([
    plainListener({ sendsPosition: true }),
    plainListener({ sendsPosition: false }),
  ]);
  await screen.becomes('live');
  const appointmentId = await company.appointment();
  const announce = (notes: string) => announceChange(world, api, company, appointmentId, notes);
  await announce('before');
  await eventually('all to receive it', () => screen.shownEvents.length + unplaced.received.length === 2);

  network.refuse();
  await screen.becomes('connecting');
  for (const notes of ['first', 'second', 'third']) await announce(notes);
  network.mend();
  await allEqualList(world, api, [screen]);
  expect(screen.notes(appointmentId)).toBe('third');
  expect(screen.reloads).toEqual([]);
  expect(screen.lists).toBe(1);

  // The next event reaches both. Only the listener that sent its position received the others.
  await eventually(
    'the plain listeners to reconnect',
    () => placed.socket.connected && unplaced.socket.connected,
  );
  await announce('after');
  await eventually('all to receive it', () =>
    [placed, unplaced].every(({ received }) => received.includes('after')),
  );
  expect(placed.received).toEqual(['before', ...Array<string>(4).fill('third again'), 'after']);
  expect(unplaced.received).toEqual(['before', 'after']);
});

test('a plain listener whose transport ends misses nothing if it reconnects with its stream position', async () => {
  const appointmentId = await company.appointment();
  const listener = await plainListener({ sendsPosition: true });
  const { socket, received } = listener;
  // It reconnects only after the event was published.
  socket.io.reconnection(false);
  socket.io.engine.close();
  await eventually('it to be disconnected', () => !socket.connected);
  await announceChange(world, api, company, appointmentId, 'meanwhile');
  socket.io.reconnection(true);
  socket.connect();
  await eventually('the replay', () => received.length > 0);
  expect(received).toEqual(['meanwhile again']);
});

test('a dashboard that was disconnected beyond the company log reloads, reports why, and shows the list', async () => {
  const screen = await openScreen(world, url, company.companyId);
  await screen.becomes('live');
  const ids = await Promise.all(Array.from({ length: LOG_MAX + 1 }, () => company.appointment()));

  network.refuse();
  await screen.becomes('connecting');
  for (const id of ids) await announceChange(world, api, company, id, 'missed');
  network.mend();
  await allEqualList(world, api, [screen]);
  expect(screen.reloads).toEqual(['trimmed']);
  expect(screen.lists).toBe(2);
  expect(ids.map((id) => screen.notes(id))).toEqual(ids.map(() => 'missed'));

  // The position is that of the list: the next change arrives as an event.
  await announceChange(world, api, company, ids[0]!, 'live');
  await eventually('the event', () => screen.notes(ids[0]!) === 'live');
  expect(screen.lists).toBe(2);
});
