import { io } from 'socket.io-client';
import { afterEach, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/process/free-port.ts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { type Answer, fleetMetrics, quietWorld } from './admin.ts';
import { createFreezer } from './freezer.ts';

const OFTEN = { CANARY_INTERVAL_MS: '100' };

let world: World;
afterEach(() => world.close());

async function livez(url: string) {
  const response = await fetch(`${url}/livez`);
  return { status: response.status, body: (await response.json()) as Answer };
}

/** A worker's port for Prometheus and liveness. */
async function openPort() {
  const port = await freePort();
  return { url: `http://127.0.0.1:${port}`, env: { METRICS_PORT: String(port) } };
}

async function behindFreezer() {
  const freezer = await createFreezer(new URL(process.env['TEST_REDIS_URL']!));
  return world.keep(freezer, freezer.close);
}

test('a canary reaches its own gateway, and is not counted', async () => {
  world = await quietWorld(OFTEN);
  const { url, env } = await openPort();
  const [api] = [await world.api(), world.worker(env)];
  const roundTrip = await eventually('a canary to come back', async () => {
    const text = await (
      await fetch(`${api.url}/metrics`, { headers: { 'x-api-key': world.env['INTERNAL_SERVICE_API_KEY']! } })
    ).text();
    return /^emission_canary_round_trip_seconds (\S+)$/m.exec(text)?.[1];
  });
  expect(Number(roundTrip)).toBeLessThan(5);
  expect(await livez(api.url)).toEqual({ status: 200, body: { status: 'alive' } });
  expect(await livez(url)).toEqual({ status: 200, body: { status: 'alive' } });
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
    /emission_progress_age_seconds\{role="worker"\} \d/,
  );

  const { overall, rejected, fleet } = await fleetMetrics(api);
  expect(overall.total).toMatchObject({ accepted: 0, published: 0, retried: 0, failed: 0 });
  expect(rejected.total).toEqual({});
  expect(fleet).toMatchObject({ sockets: 0, companies: 0 });
  expect(await world.queue.getJobCounts('completed', 'failed', 'delayed')).toEqual({
    completed: 0,
    failed: 0,
    delayed: 0,
  });
});

test('a worker without progress turns red while jobs wait, although its process runs', async () => {
  world = await quietWorld(OFTEN);
  const freezer = await behindFreezer();
  const { url, env } = await openPort();
  const [api] = [await world.api(), world.worker({ ...env, REDIS_URL: freezer.url })];
  const company = await world.documents.company();
  await world.jobIn(await world.emit(api, 'appointment-created', await company.appointment()), 'completed');
  expect((await livez(url)).status).toBe(200);

  // BullMQ waits for jobs with this command; its answers are lost from now on.
  freezer.freeze(/bzpopmin/i);
  const waiting = await world.emit(api, 'appointment-created', await company.appointment());
  const red = await eventually('the worker to be red', async () => {
    const answer = await livez(url);
    return answer.status === 503 ? answer : undefined;
  });
  expect(red.body).toEqual({
    status: 'stuck',
    detail: expect.stringMatching(
      /^a job has waited for [\d.]+ s, but this worker has taken none for [\d.]+ s$/,
    ),
  });
  expect((await livez(api.url)).status).toBe(200);

  world.worker();
  await world.jobIn(waiting, 'completed');
  await eventually('no job to wait', async () => (await livez(url)).status === 200);
});

test('a worker that runs no bulk jobs any more turns red, although it runs live ones', async () => {
  world = await quietWorld(OFTEN);
  const freezer = await behindFreezer();
  const { url, env } = await openPort();
  const [api] = [await world.api(), world.worker({ ...env, REDIS_URL: freezer.url })];
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  await world.jobIn(await world.emit(api, 'appointment-created', appointmentId), 'completed');

  freezer.freeze(/bzpopmin[^]*appointment-emissions-bulk/i);
  const emissions = [{ event: 'appointment:updated', appointmentId }];
  const answer = await world.post(api, 'batch', { emissions });
  const { results } = (await answer.json()) as { results: { emissionId: string }[] };
  await eventually('the worker to be red', async () => (await livez(url)).status === 503);
  await world.jobIn(await world.emit(api, 'appointment-updated', appointmentId), 'completed');
  expect((await livez(url)).status).toBe(503);

  world.worker();
  await world.jobIn(results[0]!.emissionId, 'completed');
  await eventually('no job to wait', async () => (await livez(url)).status === 200);
});

test('a worker stays green while the queue is paused or Redis does not answer', async () => {
  world = await quietWorld(OFTEN);
  const freezer = await behindFreezer();
  const { url, env } = await openPort();
  const [api] = [await world.api(), world.worker({ ...env, REDIS_URL: freezer.url })];
  await world.queue.pause();
  const company = await world.documents.company();
  await world.emit(api, 'appointment-created', await company.appointment());
  // By now it would be red.
  const { oldestWaitingAgeMs } = await eventually('the job to have waited long', async () => {
    const { queue } = await fleetMetrics(api);
    return queue.oldestWaitingAgeMs > 1_200 ? queue : undefined;
  });
  expect(oldestWaitingAgeMs).toBeGreaterThan(1_200);
  expect((await livez(url)).status).toBe(200);

  freezer.freeze(/./);
  await world.queue.resume();
  await eventually('the worker to have done nothing for long', async () => {
    const age = /role="worker"\} (\S+)/.exec(await (await fetch(`${url}/metrics`)).text())?.[1];
    return Number(age) > 2;
  });
  expect((await livez(url)).status).toBe(200);
  freezer.thaw();
});

test('a gateway that no longer receives messages turns red, and its workers stay green', async () => {
  world = await quietWorld(OFTEN);
  const freezer = await behindFreezer();
  const { url, env } = await openPort();
  const [api] = [await world.api({ REDIS_URL: freezer.url }), world.worker(env)];
  await eventually('the gateway to receive its canary', async () => {
    const { fleet } = await fleetMetrics(api);
    return fleet.processes.gateway[0]?.sinceProgressMs < 1_000;
  });

  freezer.freeze(/psubscribe/i);
  const red = await eventually('the gateway to be red', async () => {
    const answer = await livez(api.url);
    return answer.status === 503 ? answer : undefined;
  });
  expect(red.body).toMatchObject({
    status: 'stuck',
    detail: expect.stringMatching(/canaries were published, but did not reach this gateway's socket/),
  });
  expect((await livez(url)).status).toBe(200);
  freezer.thaw();
  await eventually('the gateway to be well again', async () => (await livez(api.url)).status === 200);
});

test('without workers a gateway stays green, and its canaries do not accumulate', async () => {
  world = await quietWorld(OFTEN);
  const api = await world.api();
  await eventually('a canary to wait', async () => (await world.queue.getWaitingCount()) === 1);
  await eventually('it to have waited for long', async () => {
    const { queue } = await fleetMetrics(api);
    return queue.oldestWaitingAgeMs > 1_000;
  });
  expect(await world.queue.getWaitingCount()).toBe(1);
  expect((await livez(api.url)).status).toBe(200);
});

test('a client cannot join the namespace of canaries', async () => {
  world = await quietWorld(OFTEN);
  const api = await world.api();
  const socket = io(`${api.url}/canary`, { auth: { secret: 'x' }, forceNew: true });
  world.keep(socket, () => socket.close());
  const refused = await new Promise<Error>((resolve) => socket.once('connect_error', resolve));
  expect(refused.message).toBe('TOKEN_INVALID');
});
