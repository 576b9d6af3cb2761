import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Company } from '../harness/documents.ts';
import { shiftedBy } from '../harness/shifted-clock.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const SWEEP_OFTEN = { RECONCILE_INTERVAL_MS: '100' };
const HOUR_MS = 3_600_000;

let world: World;
let company: Company;
beforeEach(async () => {
  world = await createWorld();
  company = await world.documents.company();
});
afterEach(() => world.close());

const watermark = () => world.redis.hget(`${world.env['QUEUE_PREFIX']!}:sweep:watermark`, 'updatedAt');

test.each([
  ['hours behind', -3 * HOUR_MS],
  ['most of a day behind', -23 * HOUR_MS],
  ['hours ahead', 2 * HOUR_MS],
  ['days ahead', 72 * HOUR_MS],
])('an unannounced write of a bot whose clock is %s is emitted once', async (_what, skewMs) => {
  const api = await world.api();
  const dashboard = await world.dashboard(api, company.companyId);
  world.worker(SWEEP_OFTEN);
  await eventually('the first sweep', watermark);

  const at = new Date(Date.now() + skewMs);
  const id = await company.appointment({ createdAt: at, updatedAt: at });
  await dashboard.receive(({ payload }) => payload.appointment._id === id);
  const later = await company.appointment({ updatedAt: new Date(at.getTime() + 1_000) });
  await dashboard.receive(({ payload }) => payload.appointment._id === later);
  expect(dashboard.received.filter(({ payload }) => payload.appointment._id === id)).toHaveLength(1);
});

test('the next write of a bot whose clock was ahead and is corrected is emitted, although it looks older', async () => {
  const api = await world.api();
  const dashboard = await world.dashboard(api, company.companyId);
  world.worker(SWEEP_OFTEN);
  const id = await company.appointment({ updatedAt: new Date(Date.now() + 2 * HOUR_MS) });
  await dashboard.receive(({ payload }) => payload.appointment._id === id);
  await company.change(id, { status: 'canceled' });
  await dashboard.receive(({ event }) => event === 'appointment:canceled');
});

test('a watermark that a wrong clock set in the future does not hide the writes until then', async () => {
  const key = `${world.env['QUEUE_PREFIX']!}:sweep:watermark`;
  const inHours = String(Date.now() + 2 * HOUR_MS);
  await world.redis.hset(key, { updatedAt: inHours, appointmentId: '', caughtUp: '1' });
  const api = await world.api();
  const dashboard = await world.dashboard(api, company.companyId);
  const before = await company.appointment({ updatedAt: new Date(Date.now() - 20 * 60_000) });
  world.worker(SWEEP_OFTEN);
  const after = await company.appointment({ updatedAt: new Date(Date.now() - 6_000) });
  await dashboard.receive(({ payload }) => payload.appointment._id === after);
  await dashboard.receive(({ payload }) => payload.appointment._id === before);
  expect(Number(await watermark())).toBeLessThan(Date.now());
});

test('a worker whose clock is hours ahead, and that is replaced, hides no write', async () => {
  const api = await world.api();
  const dashboard = await world.dashboard(api, company.companyId);
  const ahead = await world.workerProcess({ ...SWEEP_OFTEN, ...shiftedBy(2 * HOUR_MS) });
  await eventually('its first sweep', watermark);
  expect(Number(await watermark())).toBeLessThan(Date.now());
  await ahead.stop();
  const id = await company.appointment();
  world.worker(SWEEP_OFTEN);
  await dashboard.receive(({ payload }) => payload.appointment._id === id, 'it', 40_000);
});
