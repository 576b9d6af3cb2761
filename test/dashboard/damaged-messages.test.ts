import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { AppointmentList, PositionUpdate } from '@appointment-emissions/contracts';
import { appointment, meta } from './appointment-fixture.ts';
import { listAt, openWorld, type DashboardWorld } from './dashboard-world.ts';
import { eventually } from '../harness/until.ts';

const E = 'epoch-1';
let world: DashboardWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

/** A dashboard that is live at offset 5, and the server's side of it. */
async function live(options: Parameters<DashboardWorld['connect']>[0] = {}) {
  const screen = world.connect(options);
  const server = await world.server.connection();
  server.sendPosition({ epoch: E, offset: 5 });
  await screen.becomes('live');
  return { ...screen, server };
}

const payload = { appointment: appointment({ _id: 'x', notes: 'never shown' }) };
const good = meta({ epoch: E, offset: 6 });
const EVENTS: [what: string, ...args: unknown[]][] = [
  ['no arguments'],
  ['no meta', payload],
  ['null as meta', payload, null],
  ['text as meta', payload, 'x'],
  ['an empty meta', payload, {}],
  ['an offset that is text', payload, { ...good, offset: '6' }],
  ['an offset below 0', payload, { ...good, offset: -6 }],
  ['an offset with a fraction', payload, { ...good, offset: 6.5 }],
  ['an offset that is null', payload, { ...good, offset: null }],
  ['a huge offset', payload, { ...good, offset: 1e300 }],
  ['a read that is text', payload, { ...good, read: '0' }],
  ['an epoch that is null', payload, { ...good, epoch: null }],
  ['an empty epoch', payload, { ...good, epoch: '' }],
  ['another event in its meta', payload, { ...good, event: 'garbage' }],
  ['an emission without an id', payload, { ...good, emissionId: undefined }],
  ['null as payload', null, good],
  ['text as payload', 'x', good],
  ['a payload without an appointment', {}, good],
  ['an appointment that is null', { appointment: null }, good],
  ['an appointment without an id', { appointment: { notes: 'never shown' } }, good],
];

test.each(EVENTS)('an event with %s is ignored and counted, and the next one is shown', async (...row) => {
  const [, ...args] = row;
  const { server, dashboard, emits } = await live();
  server.raw('appointment:updated', ...args);
  server.send('a', { epoch: E, offset: 6 });
  await emits('a 6.0');
  expect(dashboard.ignored).toBe(1);
  expect(dashboard.state).toBe('live');
  expect(dashboard.position).toEqual({ epoch: E, offset: 6 });
});

const POSITIONS: [what: string, ...args: unknown[]][] = [
  ['missing'],
  ['null', null],
  ['text', 'x'],
  ['an empty object', {}],
  ['an object without an offset', { epoch: E, recovered: true }],
  ['an object whose offset is text', { epoch: E, offset: '7', recovered: true }],
  ['an object whose offset is below 0', { epoch: E, offset: -1, recovered: true }],
  ['an object whose offset has a fraction', { epoch: E, offset: 7.5, recovered: true }],
  ['an object whose epoch is null', { epoch: null, offset: 7, recovered: true }],
  ['an object whose epoch is empty', { epoch: '', offset: 7, recovered: true }],
  ['an object without recovered', { epoch: E, offset: 7 }],
];

test.each(POSITIONS)('a position that is %s causes a catch-up', async (...row) => {
  const [, ...args] = row;
  const { server, becomes, dashboard } = await live();
  server.raw('emissions:position', ...args);
  const { from, reply } = await server.nextCatchUp();
  expect(from).toEqual({ epoch: E, offset: 5 });
  reply({ epoch: E, offset: 5, recovered: true });
  await becomes('live');
  expect(dashboard.position).toEqual({ epoch: E, offset: 5 });
});

test.each(POSITIONS)('a first position that is %s is ignored', async (...row) => {
  const [, ...args] = row;
  const screen = world.connect();
  const server = await world.server.connection();
  server.raw('emissions:position', ...args);
  server.sendPosition({ epoch: E, offset: 9 });
  await screen.becomes('live');
  expect(screen.dashboard.position).toEqual({ epoch: E, offset: 9 });
});

test.each(POSITIONS)('if the reply to every catch-up is %s, the list is loaded', async (...row) => {
  const [, ...args] = row;
  const { server, becomes, dashboard } = await live();
  server.send('b', { epoch: E, offset: 8 });
  server.replyToAll(() => args[0] as PositionUpdate);
  await becomes('reload-needed');
  expect(dashboard.position).toEqual({ epoch: E, offset: 8 });
});

test.each<[string, unknown]>([
  ['null', null],
  ['text', '<html>'],
  ['an object without appointments', { epoch: E, offset: 1 }],
  ['an object without an epoch', { offset: 1, appointments: [] }],
  ['an object whose offset is text', { epoch: E, offset: '1', appointments: [] }],
  ['an object with a row that is null', { epoch: E, offset: 1, appointments: [null] }],
  [
    'an object with a row without an appointment',
    { epoch: E, offset: 1, appointments: [{ offset: 1, read: 1 }] },
  ],
  [
    'an object with a row without an offset',
    { epoch: E, offset: 1, appointments: [{ appointment: { _id: 'a' }, read: 1 }] },
  ],
])('a list that is %s is loaded again', async (_, damaged) => {
  const lists = [damaged, listAt(E, 5, { a: 'good' })];
  const screen = world.connect({ loadSnapshot: () => Promise.resolve(lists.shift() as AppointmentList) });
  await eventually('the good list to be shown', () => screen.shown()['a'] === 'good');
  expect(screen.problems).toHaveLength(1);
});
