import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { AppointmentSnapshot } from '@appointment-emissions/contracts';
import { createAppointmentsStore } from '../../packages/dashboard/src/adapters/appointments-store.ts';
import { eventually } from '../harness/until.ts';
import { listAt } from './dashboard-world.ts';
import { startScriptedServer } from './scripted-server.ts';

const DAY = { from: '2026-11-23T00:00:00Z', to: '2026-11-24T00:00:00Z' };

/** List requests of each token, and how many of the next ones fail. */
const lists = new Map<string, { requests: number; failures: number }>();
const closing: (() => unknown)[] = [];
let server: Awaited<ReturnType<typeof startScriptedServer>>;
beforeEach(async () => {
  lists.clear();
  server = await startScriptedServer(({ headers: { authorization = '' } }, reply) => {
    const list = lists.get(authorization.replace('Bearer ', ''))!;
    list.requests += 1;
    list.failures -= 1;
    reply.writeHead(list.failures >= 0 ? 503 : 200, { 'content-type': 'application/json' });
    reply.end(JSON.stringify(list.failures >= 0 ? {} : listAt('e', 5, { a: 'listed' })));
  });
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await server.close();
});

async function openStore(token: string) {
  const list = { requests: 0, failures: 0 };
  lists.set(token, list);
  const options = {
    url: server.url,
    getToken: () => Promise.resolve(token),
    socketOptions: { transports: ['websocket'] },
  };
  const store = createAppointmentsStore<AppointmentSnapshot>({ ...options, ...DAY });
  const views: string[] = [];
  closing.push(
    store.subscribe(() => {
      const { appointments, isLoading } = store.getView();
      views.push([isLoading ? 'loading' : 'loaded', ...appointments.map(({ notes }) => notes)].join(' '));
    }),
  );
  const connection = await server.connection();
  connection.sendPosition({ epoch: 'e', offset: 5 });
  await eventually('the list', () => store.getView().state === 'live' && !store.getView().isLoading);
  return {
    list,
    store,
    views,
    connection,
    showUntil: (to: string) => {
      store.update({ ...options, ...DAY, to });
    },
    shownAfter: (requests: number) =>
      eventually(`${requests} requests`, () => list.requests === requests && !store.getView().isLoading),
  };
}

test('the retry of a failed list is canceled if another request loads it', async () => {
  const one = await openStore('one');
  one.list.failures = 1;
  one.showUntil('2026-11-25T00:00:00Z');
  one.showUntil('2026-11-26T00:00:00Z');
  await one.shownAfter(3);

  // The retry of another store starts later than that of the first would.
  const other = await openStore('other');
  other.list.failures = 1;
  other.showUntil('2026-11-25T00:00:00Z');
  await other.shownAfter(3);
  expect(one.list.requests).toBe(3);
});

test('an edit is in the view until it is rolled back', async () => {
  const { store, views } = await openStore('one');
  const commit = () => Promise.reject(new Error('not saved'));
  const saved = store.edit('a', { notes: 'edited' }, commit);
  await expect(saved).rejects.toThrow('not saved');
  await eventually('the roll-back', () => views.at(-1) === 'loaded listed');
  expect(views.slice(-2)).toEqual(['loaded edited', 'loaded listed']);
});

test('an edit that moves an appointment out of the range hides it', async () => {
  const { store } = await openStore('one');
  await store.edit('a', { start: '2026-12-01T09:00:00.000Z' }, () => undefined);
  await eventually('the view', () => store.getView().appointments.length === 0);
});

test('without a connection an edit only calls its commit', async () => {
  const options = { url: server.url, getToken: () => Promise.resolve('one'), ...DAY };
  const store = createAppointmentsStore<AppointmentSnapshot>(options);
  expect(await store.edit('a', { notes: 'edited' }, () => 'saved')).toBe('saved');
});

test('while the list of another scope is loaded, the view is empty and loading', async () => {
  const { connection, views, shownAfter } = await openStore('one');
  connection.sendPosition({ epoch: 'e', offset: 5, recovered: false, reason: 'scope' });
  await shownAfter(2);
  expect(views.slice(-2)).toEqual(['loading', 'loaded listed']);
});
