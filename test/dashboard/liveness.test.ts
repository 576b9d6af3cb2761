import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../harness/until.ts';
import { openWorld, type DashboardWorld } from './dashboard-world.ts';

const E = 'epoch-1';
const SILENCE_MS = 400;

let world: DashboardWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

/** A dashboard that is live, its connection seen from the server, and each state with its `notLiveSince`. */
async function live(silenceMs = SILENCE_MS) {
  const opened = world.connect({ timings: { silenceMs } });
  const states: [string, Date | undefined][] = [];
  opened.dashboard.on('state', (state, _reason, since) => states.push([state, since]));
  const server = await world.server.connection();
  server.sendPosition({ epoch: E, offset: 5 });
  await opened.becomes('live');
  return { ...opened, server, states };
}

test('without a position or a heartbeat a dashboard is stale since the last one; the next one makes it live', async () => {
  const before = Date.now();
  const { dashboard, becomes, server, states } = await live();
  await becomes('stale');
  const since = dashboard.notLiveSince;
  expect(since!.getTime()).toBeGreaterThanOrEqual(before);
  expect(since!.getTime()).toBeLessThanOrEqual(Date.now() - SILENCE_MS + 50);
  expect(states.at(-1)).toEqual(['stale', since]);
  server.sendHeartbeat(true);
  await becomes('live');
  expect(dashboard.notLiveSince).toBeUndefined();
  await becomes('stale');
  server.sendPosition({ epoch: E, offset: 5 });
  await becomes('live');
});

test('heartbeats alone keep a dashboard live', async () => {
  // Much longer than a pause of a busy machine.
  const silenceMs = 2_000;
  const { becomes, server, states } = await live(silenceMs);
  let sent = 0;
  const timer = setInterval(() => {
    server.sendHeartbeat(true);
    sent += 1;
  }, silenceMs / 16);
  server.send('a', { epoch: E, offset: 6 });
  await eventually('heartbeats for longer than the silence', () => sent >= 20);
  clearInterval(timer);
  expect(states.map(([state]) => state)).not.toContain('stale');
  await becomes('stale');
});

test('while the server cannot read its database a dashboard is stale, even if heartbeats and positions arrive', async () => {
  const { dashboard, becomes, server } = await live(60_000);
  server.sendHeartbeat(false);
  await becomes('stale');
  const since = dashboard.notLiveSince;
  server.sendPosition({ epoch: E, offset: 5 });
  server.send('a', { epoch: E, offset: 6 });
  server.sendHeartbeat(false);
  expect(dashboard.state).toBe('stale');
  expect(dashboard.notLiveSince).toEqual(since);
  server.sendHeartbeat(true);
  await becomes('live');
});

test('notLiveSince stays the same if the connection ends while stale', async () => {
  const { dashboard, becomes, server, states } = await live();
  await becomes('stale');
  const since = dashboard.notLiveSince;
  server.cut();
  const again = await world.server.connection();
  expect(dashboard.notLiveSince).toEqual(since);
  again.sendPosition({ epoch: E, offset: 5 });
  await becomes('live');
  const after = states.slice(
    states.findIndex(([state]) => state === 'stale'),
    -1,
  );
  expect(new Set(after.map(([, at]) => at?.getTime()))).toEqual(new Set([since!.getTime()]));
});

test('a malformed heartbeat counts as one with reads: true', async () => {
  const { becomes, server } = await live();
  await becomes('stale');
  server.sendHeartbeat(undefined as never);
  await becomes('live');
});

test('after a disconnect while live, notLiveSince is set', async () => {
  const { dashboard, server } = await live(60_000);
  server.cut();
  await eventually('a state other than live', () => dashboard.state !== 'live');
  expect(dashboard.notLiveSince).toBeInstanceOf(Date);
});
