import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import type { Company } from '../harness/documents.ts';
import { freeze, ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let redis: ServiceHandle;
let world: World;
let api: RunningApi;
let company: Company;
let appointmentId: string;
beforeAll(async () => {
  redis = await ownRedis();
  world = await createWorld({ redisUrl: redis.url, env: { RECONCILE_INTERVAL_MS: '0' } });
  api = await world.api();
  company = await world.documents.company();
  appointmentId = await company.appointment();
  world.worker();
});
afterAll(async () => {
  await world.close();
  await redis.stop();
});

const plain = () => world.dashboard(api, company.companyId);
const emit = () => world.emit(api, 'appointment-updated', appointmentId);
const emitAndReceive = async (dashboard: Dashboard) => {
  const emissionId = await emit();
  return dashboard.receive(({ meta }) => meta.emissionId === emissionId);
};

test('a gateway whose subscription was cut sends the position again, and a plain client receives later emissions', async () => {
  const dashboard = await plain();
  await emitAndReceive(dashboard);
  const positionsBefore = dashboard.positions.length;
  expect(await world.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')).toBeGreaterThan(0);

  await eventually('another position', () => dashboard.positions.length > positionsBefore);
  const { meta } = await emitAndReceive(dashboard);
  expect(dashboard.positions.at(-1)).toMatchObject({ epoch: meta.epoch, recovered: true });
  expect(dashboard.socket.connected).toBe(true);
  dashboard.close();
});

test('a frozen Redis ends no connection, and accepted emissions arrive later', async () => {
  const dashboard = await plain();
  await freeze(redis);
  await expect(emit()).rejects.toThrow('503');
  await redis.kill('SIGCONT');
  const emissionId = await eventually('the API to accept again', emit);
  await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  expect(dashboard.socket.connected).toBe(true);
  dashboard.close();
});

test('a dashboard that connects while Redis is unavailable gets its position when Redis is back', async () => {
  await redis.stop();
  const opening = plain();
  await redis.restart();
  const dashboard = await opening;
  expect(dashboard.positions[0]).toMatchObject({ recovered: true });
  await eventually('the API to accept again', emit);
  await emitAndReceive(dashboard);
  dashboard.close();
});

test('an API that started without Redis delivers when Redis is available', async () => {
  await redis.stop();
  const early = await world.api();
  const opening = world.dashboard(early, company.companyId);
  await redis.restart();
  const dashboard = await opening;
  await eventually('the API to accept again', emit);
  await emitAndReceive(dashboard);
  dashboard.close();
});
