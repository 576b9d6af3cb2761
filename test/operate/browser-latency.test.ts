import { afterEach, expect, test } from '@jest/globals';
import { connectDashboard } from '@appointment-emissions/dashboard';
import { eventually, until } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { fleetMetrics, quietWorld } from './admin.ts';

let world: World;
afterEach(() => world.close());

async function browserStage(api: { url: string }) {
  return (await fleetMetrics(api)).latencyMs.browser['1m'] as { count: number; p50: number | null };
}

test('the dashboard library reports a sample of the emissions that it shows', async () => {
  world = await quietWorld();
  const [api] = [await world.api(), world.worker()];
  const company = await world.documents.company();
  const dashboard = connectDashboard({
    url: api.url,
    getToken: () => world.token(company.companyId),
    acknowledgeShare: 1,
  });
  world.keep(dashboard, dashboard.close);
  await eventually('the dashboard to be live', () => dashboard.state === 'live');

  for (let n = 1; n <= 3; n += 1) {
    await world.emit(api, 'appointment-created', await company.appointment());
    await eventually('it to be shown', () => dashboard.appointments.size === n);
  }
  const { count, p50 } = await eventually('the acknowledgement', async () => {
    const stage = await browserStage(api);
    return stage.count > 0 ? stage : undefined;
  });
  expect(count).toBe(1);
  expect(p50).toBeGreaterThan(0);
  expect(p50).toBeLessThan(10_000);
});

test('a report counts once, only for an emission sent to that dashboard, with the time of the servers', async () => {
  world = await quietWorld();
  const [api] = [await world.api(), world.worker()];
  const [company, other] = [await world.documents.company(), await world.documents.company()];
  const [liar, stranger, good] = await Promise.all([
    world.dashboard(api, company.companyId),
    world.dashboard(api, other.companyId),
    world.dashboard(api, company.companyId),
  ]);
  const emissionId = await world.emit(api, 'appointment-updated', await company.appointment());
  const { meta } = await good.receive((received) => received.meta.emissionId === emissionId);
  const { acceptedAt } = meta;
  const at = (ms: number) => new Date(Date.parse(acceptedAt) + ms).toISOString();
  const late = await world.dashboard(api, company.companyId);

  for (const { socket } of [liar, stranger]) {
    for (const report of [
      ...[undefined, 'x', {}, [], { emissionId }, { emissionId, acceptedAt: 'yesterday' }],
      ...[Number.NaN, -1, 0, [acceptedAt], null, '0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z'].map(
        (given) => ({ emissionId, acceptedAt: given }),
      ),
      ...[-600_000, -1, 1, 600_000].map((ms) => ({ emissionId, acceptedAt: at(ms) })),
      { emissionId: 'made-up', acceptedAt },
      { emissionId: '__proto__', acceptedAt },
    ]) {
      socket.emit('emissions:seen', report);
    }
  }
  stranger.socket.emit('emissions:seen', { emissionId, acceptedAt });
  late.socket.emit('emissions:seen', { emissionId, acceptedAt });
  // Acknowledged after all earlier reports.
  for (const { socket } of [liar, stranger, late])
    await until('an answer', socket.emitWithAck('emissions:catch-up', { epoch: 'none', offset: 0 }));
  expect((await browserStage(api)).count).toBe(0);

  for (let n = 0; n < 20; n += 1) good.socket.emit('emissions:seen', { emissionId, acceptedAt });
  const { count } = await eventually('one report to be counted', async () => {
    const stage = await browserStage(api);
    return stage.count > 0 ? stage : undefined;
  });
  expect(count).toBe(1);
  expect([liar, stranger, good].every(({ socket }) => socket.connected)).toBe(true);
});

test('at most ten reports count for one emission', async () => {
  world = await quietWorld();
  const [api] = [await world.api(), world.worker()];
  const company = await world.documents.company();
  const screens = await Promise.all(
    Array.from({ length: 15 }, () => world.dashboard(api, company.companyId)),
  );
  const emissionId = await world.emit(api, 'appointment-updated', await company.appointment());
  for (const { socket, receive } of screens) {
    const { meta } = await receive((received) => received.meta.emissionId === emissionId);
    socket.emit('emissions:seen', { emissionId, acceptedAt: meta.acceptedAt });
    await until('an answer', socket.emitWithAck('emissions:catch-up', { epoch: 'none', offset: 0 }));
  }
  await eventually('ten reports', async () => (await browserStage(api)).count >= 10);
  expect((await browserStage(api)).count).toBe(10);
});
