import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { listAt, openWorld, type DashboardWorld } from './dashboard-world.ts';

const E = 'epoch-1';
let world: DashboardWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

/** A dashboard that is live at offset 5, and its connection seen from the server. */
async function live(options: Parameters<DashboardWorld['connect']>[0] = {}) {
  const screen = world.connect(options);
  const server = await world.server.connection();
  server.sendPosition({ epoch: E, offset: 5 });
  await screen.becomes('live');
  return { ...screen, server };
}

test('a gap in the live events is filled before later events are emitted', async () => {
  const { server, emitted, emits, becomes } = await live();
  server.send('c', { epoch: E, offset: 8 });
  await becomes('catching-up');
  const { from, reply } = await server.nextCatchUp();
  expect(from).toEqual({ epoch: E, offset: 5 });
  expect(emitted).toEqual([]);
  server.send('a', { epoch: E, offset: 8, read: 1 });
  server.send('b', { epoch: E, offset: 8, read: 2 });
  reply({ epoch: E, offset: 8, recovered: true });
  await emits('c 8.0', 'a 8.1', 'b 8.2');
  await becomes('live');
});

test('a gap that closes within the delay causes no catch-up', async () => {
  const patient = { random: () => 1, timings: { catchUpMs: 200 } };
  const { server, emits } = await live(patient);
  const other = await live(patient);
  server.send('b', { epoch: E, offset: 7 });
  server.send('a', { epoch: E, offset: 6 });
  await emits('a 6.0', 'b 7.0');
  // A second dashboard's gap opened later and stays open. When that one requests a catch-up, the first would have done so too.
  other.server.send('b', { epoch: E, offset: 7 });
  await other.server.nextCatchUp();
  expect(server.openCatchUps).toBe(0);
});

test('a lost last event is detected by the next position', async () => {
  const { server, emits, becomes } = await live();
  server.sendPosition({ epoch: E, offset: 6 });
  const { from, reply } = await server.nextCatchUp();
  expect(from).toEqual({ epoch: E, offset: 5 });
  server.send('a', { epoch: E, offset: 6, read: 1 });
  reply({ epoch: E, offset: 6, recovered: true });
  await emits('a 6.1');
  await becomes('live');
});

test.each([['rate-limited' as const], ['unavailable' as const]])(
  'after the reply “%s” it requests another catch-up instead of a reload',
  async (reason) => {
    const { server, becomes } = await live();
    server.sendPosition({ epoch: E, offset: 6 });
    (await server.nextCatchUp()).reply({ epoch: E, offset: 0, recovered: false, reason });
    (await server.nextCatchUp()).reply({ epoch: E, offset: 6, recovered: true });
    await becomes('live');
  },
);

test('a catch-up without a reply is requested again', async () => {
  const { server, becomes } = await live({ timings: { answerMs: 100 } });
  server.sendPosition({ epoch: E, offset: 6 });
  await server.nextCatchUp();
  (await server.nextCatchUp()).reply({ epoch: E, offset: 6, recovered: true });
  await becomes('live');
});

test('replies that do not fill the gap lead to a reload', async () => {
  const { server, becomes } = await live();
  server.sendPosition({ epoch: E, offset: 9 });
  for (let n = 0; n < 5; n += 1) (await server.nextCatchUp()).reply({ epoch: E, offset: 5, recovered: true });
  await becomes('reload-needed');
});

test('if the log was trimmed the list is loaded, and events newer than the list stay on the screen', async () => {
  const lists = [listAt(E, 5, { a: 'first', b: 'first' }), listAt(E, 30, { a: 'second' })];
  const { server, becomes, shown } = await live({ loadSnapshot: () => Promise.resolve(lists.shift()!) });
  server.send('c', { epoch: E, offset: 31 });
  const { reply } = await server.nextCatchUp();
  reply({ epoch: E, offset: 31, recovered: false, reason: 'trimmed' });
  // The list has offset 30, the reply says 31: emission 31 is still missing.
  const second = await server.nextCatchUp();
  expect(second.from).toEqual({ epoch: E, offset: 30 });
  second.reply({ epoch: E, offset: 31, recovered: true });
  await becomes('live');
  expect(shown()).toEqual({ a: 'second', c: '31.0' });
});

test('a new epoch is accepted only if the server confirms it; then the list is loaded', async () => {
  const lists = [listAt(E, 5, { a: 'first' }), listAt('epoch-2', 2, { a: 'second' })];
  const { server, becomes, shown, emitted } = await live({
    loadSnapshot: () => Promise.resolve(lists.shift()!),
  });
  server.send('a', { epoch: 'epoch-0', offset: 99 }, { notes: 'late' });
  (await server.nextCatchUp()).reply({ epoch: E, offset: 5, recovered: true });
  await becomes('live');
  expect(emitted).toEqual([]);

  server.send('a', { epoch: 'epoch-2', offset: 1 }, { notes: 'new' });
  const { from, reply } = await server.nextCatchUp();
  expect(from).toEqual({ epoch: E, offset: 5 });
  reply({ epoch: 'epoch-2', offset: 1, recovered: false, reason: 'epoch' });
  await becomes('live');
  expect(emitted).toEqual(['a new']);
  expect(shown()).toEqual({ a: 'second' });
});

test('without loadSnapshot the state is reload-needed, newer events are still shown, and the app can reload', async () => {
  const { server, dashboard, emits, becomes, shown } = await live();
  const reasons: unknown[] = [];
  dashboard.on('state', (state, reason) => reasons.push([state, reason]));
  server.send('a', { epoch: E, offset: 9 });
  (await server.nextCatchUp()).reply({ epoch: E, offset: 9, recovered: false, reason: 'gone' });
  await becomes('reload-needed');
  server.send('a', { epoch: E, offset: 10 });
  await emits('a 9.0', 'a 10.0');
  expect(dashboard.state).toBe('reload-needed');
  await expect(dashboard.reload()).rejects.toThrow('neither loadSnapshot nor a load function');
  await dashboard.reload(() => Promise.resolve(listAt(E, 9, { a: 'listed', b: 'listed' })));
  expect(dashboard.state).toBe('live');
  expect(shown()).toEqual({ a: '10.0', b: 'listed' });
  expect(reasons).toEqual([
    ['catching-up', undefined],
    ['reload-needed', 'gone'],
    ['live', undefined],
  ]);
});
