import { afterEach, expect, test } from '@jest/globals';
import { connectDashboard } from '@appointment-emissions/dashboard';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { fleetMetrics, quietWorld } from './admin.ts';

let world: World;
afterEach(() => world.close());

async function browserStage(api: { url: string }) {
  return (await fleetMetrics(api)).latencyMs.browser['1m'] as { count: number; p50: number | null };
}

test('the browser’s library tells now and then that an emission is on the screen', async () => {
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

test('what a dashboard makes up, or tells too often, is left unheard', async () => {
  world = await quietWorld();
  const api = await world.api();
  const { companyId } = await world.documents.company();
  const [liar, chatterbox] = [await world.dashboard(api, companyId), await world.dashboard(api, companyId)];
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();

  for (const report of [
    undefined,
    'x',
    {},
    { emissionId: 'e' },
    { emissionId: 'e', acceptedAt: 'yesterday' },
  ]) {
    liar.socket.emit('emissions:seen', report);
  }
  liar.socket.emit('emissions:seen', { emissionId: 'e', acceptedAt: at(-3_600_000) });
  for (let n = 0; n < 20; n += 1)
    chatterbox.socket.emit('emissions:seen', { emissionId: 'e', acceptedAt: at(-20) });
  const { count } = await eventually('one of them', async () => {
    const stage = await browserStage(api);
    return stage.count > 0 ? stage : undefined;
  });
  expect(count).toBe(1);
  expect(liar.socket.connected).toBe(true);
});
