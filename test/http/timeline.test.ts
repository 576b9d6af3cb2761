import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Timeline } from '../../src/queue/timeline.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { createMutedUser } from '../harness/redis-users.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import type { RunningWorker } from '../../workers/start-worker.ts';
import { get, problemOf } from './internal.ts';

const ISO = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

let world: World;
let api: RunningApi;
let company: Company;
beforeAll(async () => {
  world = await createWorld({
    env: { EMISSION_ATTEMPTS: '3', RECONCILE_INTERVAL_MS: '0', API_CONCURRENCY: '0' },
  });
  api = await world.api();
  company = await world.documents.company();
});
afterAll(() => world.close());
const workers: RunningWorker[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.close();
});

function startWorker(env?: Record<string, string>): RunningWorker {
  const worker = world.worker(env);
  workers.push(worker);
  return worker;
}

async function timelineOf(emissionId: string): Promise<Timeline> {
  const { body } = await get(api, `emissions/${emissionId}`).expect(200);
  return body as Timeline;
}

test('before a worker runs an emission, its timeline is waiting and has only the acceptance', async () => {
  const appointmentId = await company.appointment();
  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  expect(await timelineOf(emissionId)).toEqual({
    success: true,
    emissionId,
    event: 'appointment:created',
    appointmentId,
    source: 'call',
    state: 'waiting',
    acceptedAt: expect.stringMatching(ISO),
    attempts: [],
    startedAt: null,
    populatedAt: null,
    publishedAt: null,
    endedAt: null,
    epoch: null,
    offset: null,
    gateways: null,
    traceparent: null,
  });
});

test('the timeline of a published emission has the time, the offset and the number of gateways', async () => {
  startWorker();
  const dashboard = await world.dashboard(api, company.companyId);
  const emissionId = await world.emit(api, 'appointment-updated', await company.appointment());
  const { meta } = await dashboard.receive((received) => received.meta.emissionId === emissionId);
  await world.jobIn(emissionId, 'completed');

  const timeline = await timelineOf(emissionId);
  expect(timeline).toMatchObject({
    state: 'completed',
    attempts: [{ attempt: 1, error: null }],
    epoch: meta.epoch,
    offset: meta.offset,
    gateways: 1,
    acceptedAt: meta.acceptedAt,
    publishedAt: meta.publishedAt,
  });
  const { acceptedAt, startedAt, populatedAt, publishedAt, endedAt } = timeline;
  expect(Date.parse(publishedAt!)).toBeGreaterThanOrEqual(Date.parse(populatedAt!));
  // By other clocks, which differ by milliseconds: those of the API and of BullMQ.
  for (const time of [acceptedAt, startedAt, endedAt]) {
    expect(Math.abs(Date.parse(time!) - Date.parse(publishedAt!))).toBeLessThan(60_000);
  }
});

test('the timeline of a permanent failure has one attempt and the reason', async () => {
  const appointmentId = await company.appointment();
  const emissionId = await world.emit(api, 'appointment-canceled', appointmentId);
  await world.documents.giveAway(appointmentId);
  startWorker();
  await world.jobIn(emissionId, 'failed');

  expect(await timelineOf(emissionId)).toMatchObject({
    state: 'failed',
    attempts: [{ attempt: 1, error: expect.stringContaining('COMPANY_MISMATCH') }],
    startedAt: expect.stringMatching(ISO),
    endedAt: expect.stringMatching(ISO),
    publishedAt: null,
    gateways: null,
  });
});

test('the timeline has each failed attempt with its error, during backoff and after the last one', async () => {
  // A worker that may not publish: the script fails, through no fault of a server.
  const { url: REDIS_URL } = await createMutedUser(world);
  const company = await world.documents.company();
  const slow = startWorker({ REDIS_URL, EMISSION_BACKOFF_MS: '60000' });
  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
  await world.jobIn(emissionId, 'delayed');
  // MaxTimeMSExpired: on a busy machine MongoDB can be too slow for an attempt.
  const error = expect.stringMatching(/NOPERM|permissions|can't run this command|MaxTimeMSExpired/);
  expect(await timelineOf(emissionId)).toMatchObject({ state: 'delayed', attempts: [{ attempt: 1, error }] });
  await slow.close();

  startWorker({ REDIS_URL, EMISSION_BACKOFF_MS: '1' });
  await (await world.jobs.get(emissionId))!.promote();
  await world.jobIn(emissionId, 'failed');
  expect((await timelineOf(emissionId)).attempts).toEqual([
    { attempt: 1, error },
    { attempt: 2, error },
    { attempt: 3, error },
  ]);
});

test('an unknown or expired id is 404', async () => {
  const response = await get(api, 'emissions/2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d').expect(404);
  expect(response.body).toEqual(problemOf(404, 'EMISSION_NOT_FOUND'));
});

describe('the last emissions of an appointment', () => {
  const recentOf = async (appointmentId: string) => {
    const { body } = await get(api, `emissions?appointmentId=${appointmentId}`).expect(200);
    return body as { success: boolean; appointmentId: string; emissions: Timeline[] };
  };
  const keyOf = (span: number) => `${world.env['QUEUE_PREFIX']}:recent:${span}`;
  const ids = ({ emissions }: { emissions: Timeline[] }) => emissions.map(({ emissionId }) => emissionId);

  test('are the last ten, with their timelines, newest first', async () => {
    const appointmentId = await company.appointment();
    const emitted: string[] = [];
    for (let count = 0; count < 12; count += 1) {
      emitted.unshift(await world.emit(api, 'appointment-updated', appointmentId));
    }
    const newest = emitted.slice(0, 10);
    const recent = await eventually('the last to be remembered', async () => {
      const found = await recentOf(appointmentId);
      return ids(found)[0] === newest[0] ? found : undefined;
    });
    expect(recent).toMatchObject({ success: true, appointmentId });
    expect(ids(recent).sort()).toEqual([...newest].sort());
    const accepted = recent.emissions.map(({ acceptedAt }) => acceptedAt);
    expect(accepted).toEqual([...accepted].sort().reverse());
    expect({ success: true, ...recent.emissions[0] }).toEqual(await timelineOf(newest[0]!));
  });

  test('include those of batches, each once even if repeated, and none of another appointment', async () => {
    const [one, other] = [await company.appointment(), await company.appointment()];
    const emissions = [one, other, one].map((appointmentId) => ({
      event: 'appointment:updated',
      appointmentId,
    }));
    const headers = { 'Idempotency-Key': one };
    const first = await world.post(api, 'batch', { emissions }, headers);
    await world.post(api, 'batch', { emissions }, headers);
    const { results } = (await first.json()) as { results: { emissionId: string }[] };
    const recent = await eventually('both to be remembered', async () => {
      const found = await recentOf(one);
      return found.emissions.length >= 2 ? found : undefined;
    });
    expect(ids(recent).sort()).toEqual([results[0]!.emissionId, results[2]!.emissionId].sort());
  });

  test('are stored as ids, as long as finished jobs', async () => {
    const appointmentId = await company.appointment();
    await world.emit(api, 'appointment-updated', appointmentId);
    await eventually(
      'it to be remembered',
      async () => (await recentOf(appointmentId)).emissions.length === 1,
    );
    const keys = await world.redis.keys(`${world.env['QUEUE_PREFIX']}:recent:*`);
    const members = (await Promise.all(keys.map((key) => world.redis.zrange(key, '0', '-1')))).flat();
    const own = members.filter((member) => member.startsWith(appointmentId));
    expect(own.join()).toMatch(/^[\da-f]{24} [\dTZ:.-]{24} [\da-f-]{36}$/);
    for (const key of keys) expect(await world.redis.ttl(key)).toBeGreaterThan(86_000);
  });

  test('are found for the whole day', async () => {
    const appointmentId = await company.appointment();
    const span = Math.floor(Date.now() / 600_000);
    const emitted: string[] = [];
    for (const ago of [140, 70, 1]) {
      const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
      emitted.unshift(emissionId);
      const member = await eventually('it to be remembered', async () => {
        const found = await world.redis.zrangebylex(keyOf(span), `[${appointmentId} `, `[${appointmentId} ~`);
        return found[0];
      });
      await world.redis.zrem(keyOf(span), member);
      await world.redis.zadd(keyOf(span - ago), 0, member);
    }
    expect(ids(await recentOf(appointmentId))).toEqual(emitted);
  });

  test('are 404 if there are none, and 400 without a valid id', async () => {
    const none = await get(api, `emissions?appointmentId=${'e'.repeat(24)}`).expect(404);
    expect(none.body).toEqual(problemOf(404, 'EMISSION_NOT_FOUND'));
    for (const query of ['', '?appointmentId=x', `?appointmentId=${'e'.repeat(24)}&appointmentId=x`]) {
      const bad = await get(api, `emissions${query}`).expect(400);
      expect(bad.body).toEqual(problemOf(400, 'INVALID_APPOINTMENT_ID', { errors: [expect.any(Object)] }));
    }
  });
});
