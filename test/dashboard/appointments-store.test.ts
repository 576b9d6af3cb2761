import { afterEach, beforeEach, expect, test } from '@jest/globals';
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
  const store = createAppointmentsStore({ ...options, ...DAY });
  closing.push(store.subscribe(() => undefined));
  (await server.connection()).sendPosition({ epoch: 'e', offset: 5 });
  await eventually('the list', () => store.getView().state === 'live' && !store.getView().isLoading);
  return {
    list,
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
