import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AppointmentList, StreamPosition } from '@appointment-emissions/contracts';
import { eventually } from '../harness/until.ts';
import { listAt, openWorld, type DashboardWorld } from './dashboard-world.ts';
import type { ServerSide } from './scripted-server.ts';

const E = 'epoch-1';
const HUGE = [1_000, 2 ** 31, Number.MAX_SAFE_INTEGER];
let world: DashboardWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

/** A server that answers like the real one. Its company log has offset 5, and its list contains the appointment `a`. */
function honestServer({ firstList }: { firstList?: AppointmentList } = {}) {
  let head = 5;
  let lists = 0;
  let catchUps = 0;
  const screen = world.connect({
    loadSnapshot: () => {
      lists += 1;
      return Promise.resolve(lists === 1 && firstList ? firstList : listAt(E, head, { a: `list ${head}` }));
    },
  });
  const replyTo = (from?: StreamPosition) =>
    from && from.offset > head
      ? { epoch: E, offset: head, recovered: false, reason: 'epoch' as const }
      : { epoch: E, offset: head, recovered: true };
  async function serve(): Promise<ServerSide> {
    const server = await world.server.connection();
    server.replyToAll((from) => {
      catchUps += 1;
      return replyTo(from);
    });
    server.sendPosition(replyTo(server.auth.position));
    await screen.becomes('live');
    return server;
  }
  return {
    ...screen,
    serve,
    /** Publishes the next live emission of an appointment. */
    emit(server: ServerSide, id: string): void {
      head += 1;
      server.send(id, { epoch: E, offset: head });
    },
    sendPosition(server: ServerSide): void {
      server.sendPosition({ epoch: E, offset: head });
    },
    get requests() {
      return { lists, catchUps };
    },
  };
}

/** Expects the dashboard to be live at the server's position, to show new emissions, and to send no more requests. */
async function settles(honest: ReturnType<typeof honestServer>, server: ServerSide): Promise<void> {
  const { dashboard, shown } = honest;
  await eventually(
    'live at the position of the server',
    () => dashboard.state === 'live' && dashboard.position?.offset === 5,
  );
  for (const id of ['a', 'b']) honest.emit(server, id);
  await eventually('the new emissions', () => shown()['a'] === '6.0' && shown()['b'] === '7.0');
  const before = honest.requests;
  for (let n = 0; n < 5; n += 1) {
    honest.sendPosition(server);
    honest.emit(server, 'c');
  }
  await eventually('the last emission', () => shown()['c'] === '12.0');
  expect(dashboard.state).toBe('live');
  expect(honest.requests).toEqual(before);
  expect(before.lists).toBeLessThanOrEqual(4);
}

describe.each(HUGE)('the offset %d, which the server never assigned', (offset) => {
  test.each([
    ['a live event of a shown appointment', { read: 0 }, 'a'],
    ['a live event of an unknown appointment', { read: 0 }, 'x'],
    ['a replay of a shown appointment', { read: 1 }, 'a'],
    ['a replay of an unknown appointment', { read: 1 }, 'x'],
  ])('in %s ends live at the position of the server', async (_, { read }, id) => {
    const honest = honestServer();
    const server = await honest.serve();
    server.send(id, { epoch: E, offset, read });
    await eventually('a catch-up', () => honest.requests.catchUps > 0);
    await settles(honest, server);
    expect(honest.shown()).not.toHaveProperty('x');
  });

  test('in a periodic position ends live at the position of the server', async () => {
    const honest = honestServer();
    const server = await honest.serve();
    server.sendPosition({ epoch: E, offset });
    await eventually('a catch-up', () => honest.requests.catchUps > 0);
    await settles(honest, server);
  });

  test('in the first list ends live at the position of the server', async () => {
    const honest = honestServer({ firstList: listAt(E, offset, { a: 'forged', x: 'forged' }) });
    const server = await honest.serve();
    await settles(honest, server);
    expect(honest.shown()).not.toHaveProperty('x');
  });

  test('in one row of the first list ends live at the position of the server', async () => {
    const list = listAt(E, 5, { a: 'forged' });
    list.appointments[0]!.offset = offset;
    const honest = honestServer({ firstList: list });
    const server = await honest.serve();
    await settles(honest, server);
  });

  test('in the reply to a catch-up is corrected by the next positions', async () => {
    let lists = 0;
    const screen = world.connect({
      loadSnapshot: () => Promise.resolve(listAt(E, 5, { a: `list ${(lists += 1)}` })),
    });
    const server = await world.server.connection();
    server.sendPosition({ epoch: E, offset: 5 });
    await screen.becomes('live');
    server.sendPosition({ epoch: E, offset: 6 });
    (await server.nextCatchUp()).reply({ epoch: E, offset, recovered: true });
    await eventually('the wrong position', () => screen.dashboard.position?.offset === offset);
    for (let n = 0; n < 2; n += 1) server.sendPosition({ epoch: E, offset: 6 });
    const { from, reply } = await server.nextCatchUp();
    expect(from.offset).toBe(offset);
    reply({ epoch: E, offset: 6, recovered: false, reason: 'epoch' });
    (await server.nextCatchUp()).reply({ epoch: E, offset: 6, recovered: true });
    await eventually('the list', () => screen.shown()['a'] === 'list 2');
    server.send('a', { epoch: E, offset: 7 });
    await eventually('the next emission', () => screen.shown()['a'] === '7.0');
    await screen.becomes('live');
  });
});

test('one position that an event has overtaken causes no catch-up', async () => {
  const honest = honestServer();
  const server = await honest.serve();
  honest.emit(server, 'a');
  server.sendPosition({ epoch: E, offset: 5 });
  honest.emit(server, 'b');
  await eventually('the last emission', () => honest.shown()['b'] === '7.0');
  expect(honest.dashboard.state).toBe('live');
  expect(honest.requests.catchUps).toBe(0);
});
