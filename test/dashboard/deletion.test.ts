import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DeletionPayload } from '@appointment-emissions/dashboard';
import { eventually } from '../harness/until.ts';
import { meta } from './appointment-fixture.ts';
import { listAt, openWorld, type DashboardWorld } from './dashboard-world.ts';
import type { ServerSide } from './scripted-server.ts';

const E = 'epoch-1';
let world: DashboardWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

/** A dashboard that is live at offset 5 with the appointments `a` and `b`, and the deletions that it has emitted. */
async function live() {
  const lists = [listAt(E, 5, { a: 'listed', b: 'listed' })];
  const screen = world.connect({ loadSnapshot: () => Promise.resolve(lists.shift()!) });
  const deletions: string[] = [];
  screen.dashboard.on('appointment:deleted', ({ appointment: { _id }, reason }, { offset, read }) => {
    deletions.push([_id, reason ?? '-', `${offset}.${read}`].join(' '));
    expect(screen.shown()).not.toHaveProperty(_id);
  });
  const server = await world.server.connection();
  server.sendPosition({ epoch: E, offset: 5 });
  await screen.becomes('live');
  return { ...screen, server, lists, deletions };
}

function sendDeletion(
  server: ServerSide,
  id: string,
  fields: { offset: number; read?: number },
  reason?: DeletionPayload['reason'],
): void {
  const payload = { appointment: { _id: id, companyId: '0'.repeat(24) }, ...(reason && { reason }) };
  server.raw('appointment:deleted', payload, meta({ epoch: E, event: 'appointment:deleted', ...fields }));
}

test('a deleted appointment is removed, and then its listeners are called', async () => {
  const { server, deletions, shown, becomes } = await live();
  sendDeletion(server, 'a', { offset: 6 });
  sendDeletion(server, 'b', { offset: 7 }, 'out-of-scope');
  await eventually('two deletions', () => deletions.length === 2);
  expect(deletions).toEqual(['a - 6.0', 'b out-of-scope 7.0']);
  expect(shown()).toEqual({});
  await becomes('live');
});

test('a deletion waits for a gap before it to close, like any other event', async () => {
  const { server, deletions, shown, becomes } = await live();
  sendDeletion(server, 'a', { offset: 7 });
  await becomes('catching-up');
  expect(deletions).toEqual([]);
  server.send('a', { epoch: E, offset: 6 });
  await becomes('live');
  expect(deletions).toEqual(['a - 7.0']);
  expect(shown()).toEqual({ b: 'listed' });
});

test('an older replay does not bring a deleted appointment back; a newer snapshot does', async () => {
  const { server, deletions, shown, emits } = await live();
  sendDeletion(server, 'a', { offset: 6, read: 0 });
  server.send('a', { epoch: E, offset: 5, read: 3 });
  server.send('b', { epoch: E, offset: 7 });
  await emits('b 7.0');
  expect([deletions, shown()]).toEqual([['a - 6.0'], { b: '7.0' }]);
  server.send('a', { epoch: E, offset: 8 });
  await emits('b 7.0', 'a 8.0');
  expect(shown()).toEqual({ a: '8.0', b: '7.0' });
});

test('an older deletion does not remove a newer snapshot', async () => {
  const { server, deletions, shown, emits } = await live();
  server.send('a', { epoch: E, offset: 6 });
  sendDeletion(server, 'a', { offset: 5, read: 4 });
  sendDeletion(server, 'a', { offset: 6 });
  server.send('b', { epoch: E, offset: 7 });
  await emits('a 6.0', 'b 7.0');
  expect([deletions, shown()]).toEqual([[], { a: '6.0', b: '7.0' }]);
});

test.each([
  ['older than the deletion', 5, 1, { b: 'again' }],
  ['read before a replay of the deletion', 7, 1, { b: 'again' }],
  ['newer than the deletion', 7, 9, { a: 'again', b: 'again' }],
])('a list %s is merged in order', async (_, offset, read, expected) => {
  const { server, dashboard, shown, deletions, lists } = await live();
  sendDeletion(server, 'a', { offset: 6 });
  server.sendPosition({ epoch: E, offset: 7 });
  const { reply } = await server.nextCatchUp();
  sendDeletion(server, 'a', { offset: 7, read: 5 });
  reply({ epoch: E, offset: 7, recovered: true });
  await eventually('the replayed deletion', () => deletions.length === 2);
  const list = listAt(E, offset, { a: 'again', b: 'again' });
  for (const row of list.appointments) row.read = read;
  lists.push(list);
  await dashboard.reload();
  expect(shown()).toEqual(expected);
});

test('a replayed deletion that the list already contains is not emitted', async () => {
  const { server, dashboard, deletions, lists, emits } = await live();
  lists.push(listAt(E, 9, { b: 'again' }));
  await dashboard.reload();
  sendDeletion(server, 'a', { offset: 8, read: 2 });
  server.send('b', { epoch: E, offset: 10 });
  await emits('b 10.0');
  expect(deletions).toEqual([]);
});
