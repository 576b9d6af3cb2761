import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { freePort } from '../../scripts/process/free-port.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { post } from './internal.ts';

let world: World;
let api: RunningApi;
let other: RunningApi;
let company: Company;
let apiPort: number;
let workerPort: number;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', API_CONCURRENCY: '0' } });
  [apiPort, workerPort] = await Promise.all([freePort(), freePort()]);
  [api, other] = await Promise.all([world.api({ METRICS_PORT: String(apiPort) }), world.api()]);
  company = await world.documents.company();

  // Two are published, one fails permanently, one is rejected.
  const foreign = await company.appointment();
  const failed = await world.emit(api, 'appointment-canceled', foreign);
  await world.documents.giveAway(foreign);
  world.worker({ METRICS_PORT: String(workerPort) });
  const published = [
    await world.emit(api, 'appointment-created', await company.appointment()),
    await world.emit(other, 'appointment-created', await company.appointment()),
  ];
  await Promise.all(published.map((emissionId) => world.jobIn(emissionId, 'completed')));
  await world.jobIn(failed, 'failed');
  await post(api, 'appointment-created')
    .send({ appointmentId: 'f'.repeat(24) })
    .expect(404);
});
afterAll(() => world.close());

const read = (from: RunningApi) =>
  request(from.url).get('/api/v1/internal/metrics').set('x-api-key', API_KEY);

test('counts and rates cover the whole fleet, from any process', async () => {
  for (const from of [api, other]) {
    const body = await eventually('all to be counted', async () => {
      const reading = (await read(from).expect(200)).body;
      const { accepted, published, failed } = reading.overall.total;
      const all = accepted === 3 && published === 2 && failed === 1;
      return all && reading.rejected.total.APPOINTMENT_NOT_FOUND === 1 ? reading : undefined;
    });
    expect(body.success).toBe(true);
    for (const span of ['1m', '5m', '1h', 'total']) {
      expect(body.overall[span]).toMatchObject({ successRate: 2 / 3, failureRate: 1 / 3 });
      expect(body.events['appointment:created'][span]).toMatchObject({ successRate: 1, failureRate: 0 });
      expect(body.events['appointment:canceled'][span]).toMatchObject({ successRate: 0, failureRate: 1 });
      expect(body.events['appointment:updated'][span]).toMatchObject({
        successRate: null,
        failureRate: null,
      });
    }
    for (const stage of ['accept', 'wait', 'load', 'publish', 'total']) {
      expect(body.latencyMs[stage]['1m']).toMatchObject({
        p50: expect.any(Number),
        p95: expect.any(Number),
        p99: expect.any(Number),
      });
    }
    expect(body.queue).toMatchObject({ waiting: 0, active: 0, failed: 1 });
  }
});

test('the Prometheus text needs the key, and is open on METRICS_PORT', async () => {
  await request(api.url).get('/metrics').expect(401);
  const withKey = await request(api.url).get('/metrics').set('x-api-key', API_KEY).expect(200);
  const onApiPort = await request(`http://localhost:${apiPort}`).get('/metrics').expect(200);
  const onWorkerPort = await request(`http://localhost:${workerPort}`).get('/metrics').expect(200);

  for (const { headers } of [withKey, onApiPort, onWorkerPort]) {
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  }
  const accepted = 'emission_accepted_total{event="appointment:created",queue="live"}';
  expect(withKey.text).toContain(`${accepted} 1`);
  expect(onApiPort.text).toContain(`${accepted} 1`);
  expect(onWorkerPort.text).toContain('emission_published_total{event="appointment:created",queue="live"} 2');
  await request(`http://localhost:${workerPort}`).get('/').expect(404);
});

test('a metrics port in use stops neither the API nor a worker', async () => {
  const third = await world.api({ METRICS_PORT: String(apiPort) });
  await request(third.url).get('/livez').expect(200);
  await third.close();
  await request(`http://localhost:${apiPort}`).get('/metrics').expect(200);
});
