import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { Worker } from 'bullmq';
import type { Receipt } from '../../src/emission/emit-appointment.ts';
import { createAddDirectJob } from '../../src/queue/add-direct-job.ts';
import { type EmissionJob, JOB_VERSION } from '../../src/queue/emission-job.ts';
import { jobOptions } from '../../src/queue/retry-policy.ts';
import { startHoldingProxy } from '../embedded/hold-replies.ts';
import { createMutedUser } from '../harness/redis-users.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { createProxy } from '../resilience/proxy.ts';

let world: World;
afterEach(() => world.close());

/** A world without the sweep, whose API runs direct jobs on a busy machine too. */
const createDirectWorld = (): Promise<World> =>
  createWorld({ env: { RECONCILE_INTERVAL_MS: '0' }, limits: { MAX_DIRECT_UTILIZATION: 1 } });

/** A world whose API reads MongoDB through a proxy that can hold back what it reads for a job. */
async function worldWithHeldReads(env: Record<string, string> = {}) {
  world = await createDirectWorld();
  const proxy = await startHoldingProxy(world.env['MONGODB_URI']!);
  world.keep(proxy, () => {
    proxy.close();
  });
  const [api, company] = await Promise.all([
    world.ready(world.api({ MONGODB_URI: proxy.uri, ...env })),
    world.documents.company(),
  ]);
  const appointmentId = await company.appointment();
  /** Emits, and holds the reply to the read of its direct job. */
  async function emitAndHold() {
    const held = proxy.holdReplies(1, Buffer.from('aggregate'), Buffer.from(appointmentId, 'hex'));
    const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
    await until('the read of the direct job', held.all);
    return { emissionId, release: held.release };
  }
  return { api, company, appointmentId, emitAndHold };
}

test('an API publishes accepted emissions itself, and counts them', async () => {
  world = await createDirectWorld();
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const dashboard = await world.dashboard(api, company.companyId);
  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
  const { meta } = await dashboard.receive((received) => received.meta.emissionId === emissionId);
  const job = await world.jobIn(emissionId, 'completed');
  expect(job.returnvalue as Receipt).toMatchObject({ epoch: meta.epoch, offset: 1, gateways: 1 });
  expect(job).toMatchObject({ attemptsMade: 1, attemptsStarted: 1 });
});

test('a company near its limit leaves direct jobs to other companies: workers run its live emissions', async () => {
  world = await createDirectWorld();
  const api = await world.ready(world.api({ MAX_LIVE_PER_COMPANY_PER_SECOND: '4' }));
  const [flood, other] = [await world.documents.company(), await world.documents.company()];
  const [flooded, single] = [await flood.appointment(), await other.appointment()];
  const left = await eventually('a live emission to be left to workers', async () => {
    const ids = await Promise.all(
      Array.from({ length: 2 }, () => world.emit(api, 'appointment-updated', flooded)),
    );
    const states = await Promise.all(ids.map((id) => world.jobs.stateOf(id)));
    return ids.find((_, index) => states[index] === 'waiting');
  });
  const text = await (await fetch(`${api.url}/metrics`, { headers: { 'x-api-key': API_KEY } })).text();
  expect(text).toMatch(/^emission_direct_jobs_total{[^}]*result="share"[^}]*} [1-9]/m);
  await world.jobIn(await world.emit(api, 'appointment-updated', single), 'completed');
  world.worker();
  await world.jobIn(left, 'completed');
});

test('a direct job is stored as BullMQ stores a job that a worker has fetched', async () => {
  world = await createDirectWorld();
  const { queue, redis } = world;
  const emissions = [randomUUID(), randomUUID()].map((emissionId): EmissionJob => ({
    ...{ v: JOB_VERSION, event: 'appointment:updated', emissionId, acceptedAt: new Date().toISOString() },
    ...{ appointmentId: 'a'.repeat(24), companyId: 'c'.repeat(24) },
  }));
  const [direct, fetched] = emissions as [EmissionJob, EmissionJob];
  const options = jobOptions({ attempts: 8, firstRetryDelayMs: 500 });
  const add = createAddDirectJob({ redis, queue, lockMs: 60_000, now: Date.now });
  expect(await add(direct, options, 'a token')).toMatchObject({ id: direct.emissionId });
  expect(await redis.exists(queue.toKey('marker'))).toBe(0);

  const timestamp = Date.parse(fetched.acceptedAt);
  await queue.add(fetched.event, fetched, { ...options, jobId: fetched.emissionId, timestamp });
  const worker = new Worker(queue.name, null, {
    ...{ connection: redis, prefix: world.env['QUEUE_PREFIX']!, autorun: false, lockDuration: 60_000 },
  });
  world.keep(worker, () => worker.close());
  await worker.getNextJob('a token', { block: false });

  const stored = async ({ emissionId }: EmissionJob) => {
    const { data, opts, timestamp, processedOn, ...fields } = await redis.hgetall(queue.toKey(emissionId));
    const { jobId, ...others } = JSON.parse(opts!) as Record<string, unknown>;
    expect(jobId).toBe(emissionId);
    expect([timestamp, processedOn]).toEqual([
      String(others['timestamp']),
      expect.stringMatching(/^\d{13}$/),
    ]);
    return {
      fields,
      data: { ...(JSON.parse(data!) as object), emissionId: '', acceptedAt: '' },
      opts: { ...others, timestamp: 0 },
      lock: await redis.get(`${queue.toKey(emissionId)}:lock`),
      isLockLimited: (await redis.pttl(`${queue.toKey(emissionId)}:lock`)) > 0,
    };
  };
  expect(await stored(direct)).toEqual(await stored(fetched));
  expect(await redis.lrange(queue.toKey('active'), 0, -1)).toEqual([fetched.emissionId, direct.emissionId]);
  const events = (await redis.xrange(queue.toKey('events'), '-', '+')).map(([, fields]) => fields.join(' '));
  expect(events.filter((fields) => fields.includes(direct.emissionId))).toEqual([
    `event added jobId ${direct.emissionId} name ${direct.event}`,
    `event active jobId ${direct.emissionId} prev waiting`,
  ]);
});

test('a second try finds the direct job of the first one; another process does not run it', async () => {
  world = await createDirectWorld();
  const { queue, redis } = world;
  const emission: EmissionJob = {
    ...{ v: JOB_VERSION, event: 'appointment:updated', emissionId: randomUUID() },
    ...{ appointmentId: 'a'.repeat(24), companyId: 'c'.repeat(24), acceptedAt: new Date().toISOString() },
  };
  const add = createAddDirectJob({ redis, queue, lockMs: 60_000, now: Date.now });
  const find = createAddDirectJob({ redis, queue, lockMs: 90_000, now: Date.now, findsOnly: true });
  expect(await find(emission, {}, 'a token')).toBe('absent');
  expect(await add(emission, {}, 'a token')).toMatchObject({ id: emission.emissionId });
  expect(await add(emission, {}, 'a token')).toMatchObject({ id: emission.emissionId });
  expect(await add(emission, {}, 'another token')).toBe('exists');
  expect(await find(emission, {}, 'another token')).toBe('exists');
  expect(await find(emission, {}, 'a token')).toMatchObject({ id: emission.emissionId });
  expect(await redis.pttl(`${queue.toKey(emission.emissionId)}:lock`)).toBeGreaterThan(60_000);
  expect(await world.queue.getActiveCount()).toBe(1);
  await queue.pause();
  expect(await add(emission, {}, 'a token')).toMatchObject({ id: emission.emissionId });
  expect(await add({ ...emission, emissionId: randomUUID() }, {}, 'a token')).toBe('restricted');
});

test('a direct job whose add has no reply is run by its API', async () => {
  world = await createDirectWorld();
  const proxy = await createProxy(world.env['REDIS_URL']!);
  world.keep(proxy, proxy.close);
  const [api, company] = await Promise.all([
    world.ready(world.api({ REDIS_URL: proxy.url })),
    world.documents.company(),
  ]);
  const appointmentId = await company.appointment();
  proxy.delayReplies(1_500);
  expect((await world.post(api, 'appointment-updated', { appointmentId })).status).toBe(503);
  proxy.delayReplies(0);
  await eventually('the job to be completed', async () => (await world.jobs.count('completed')) === 1);
  expect(await world.jobs.count('active')).toBe(0);
});

test('the lock of a direct job is renewed while the job runs', async () => {
  const { emitAndHold } = await worldWithHeldReads();
  const { emissionId, release } = await emitAndHold();
  let least = Infinity;
  await eventually('the lock to be renewed', async () => {
    const ms = await world.redis.pttl(`${world.queue.toKey(emissionId)}:lock`);
    least = Math.min(least, ms);
    return ms > least;
  });
  release();
  await world.jobIn(emissionId, 'completed');
});

test.each([
  ['paused', () => world.queue.pause(), () => world.queue.resume()],
  [
    'limited to some jobs at once',
    () => world.queue.setGlobalConcurrency(1),
    () => world.queue.removeGlobalConcurrency(),
  ],
  [
    'limited to a rate',
    () => world.queue.setGlobalRateLimit(1, 60_000),
    () => world.queue.removeGlobalRateLimit(),
  ],
])('while the queue is %s, emissions wait for a worker', async (_, restrict, relax) => {
  world = await createDirectWorld();
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  await restrict();
  const emissionId = await world.emit(api, 'appointment-updated', await company.appointment());
  expect(await world.jobs.stateOf(emissionId)).toBe('waiting');
  await relax();
  world.worker();
  await world.jobIn(emissionId, 'completed');
});

test('emissions beyond API_CONCURRENCY wait for a worker', async () => {
  const { api, company, emitAndHold } = await worldWithHeldReads({ API_CONCURRENCY: '1' });
  const { emissionId, release } = await emitAndHold();
  const next = await world.emit(api, 'appointment-updated', await company.appointment());
  expect(await world.jobs.stateOf(next)).toBe('waiting');
  expect(await world.jobs.stateOf(emissionId)).toBe('active');
  release();
  await world.jobIn(emissionId, 'completed');
  world.worker();
  await world.jobIn(next, 'completed');
});

test('an API that closes finishes its direct jobs', async () => {
  const { api, emitAndHold } = await worldWithHeldReads();
  const { emissionId, release } = await emitAndHold();
  const closing = api.close();
  await eventually('the API to stop listening', () =>
    fetch(`${api.url}/livez`).then(
      () => false,
      () => true,
    ),
  );
  release();
  await until('the API to close', closing);
  expect(await world.jobs.stateOf(emissionId)).toBe('completed');
});

test('an API that closes without Redis does not wait for its direct jobs', async () => {
  world = await createDirectWorld();
  const [redis, mongo] = await Promise.all([
    createProxy(world.env['REDIS_URL']!),
    startHoldingProxy(world.env['MONGODB_URI']!),
  ]);
  world.keep(redis, redis.close);
  world.keep(mongo, () => {
    mongo.close();
  });
  const [api, company] = await Promise.all([
    world.ready(
      world.api({ REDIS_URL: redis.url, MONGODB_URI: mongo.uri }, { SHUTDOWN_DEADLINE_MS: 120_000 }),
    ),
    world.documents.company(),
  ]);
  const appointmentId = await company.appointment();
  const held = mongo.holdReplies(1, Buffer.from('aggregate'), Buffer.from(appointmentId, 'hex'));
  await world.emit(api, 'appointment-updated', appointmentId);
  await until('the read of the direct job', held.all);
  // The connections stay open, as those to a frozen Redis.
  redis.holdRequestsFrom('evalsha');
  await until('a request to be held', redis.held);
  await until('the API to close', api.close(), 20_000);
}, 60_000);

test('an appointment that is published during the read of a direct job is read again', async () => {
  const { api, company, appointmentId, emitAndHold } = await worldWithHeldReads();
  const dashboard = await world.dashboard(api, company.companyId);
  const { emissionId, release } = await emitAndHold();
  await company.change(appointmentId, { notes: 'late' });
  const later = await world.emit(api, 'appointment-updated', appointmentId);
  await dashboard.receive(({ meta }) => meta.emissionId === later);
  release();
  const { payload } = await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  expect(payload.appointment.notes).toBe('late');
});

test('a direct job that fails is retried by a worker', async () => {
  world = await createDirectWorld();
  // The script fails, through no fault of a server.
  const { url: REDIS_URL } = await createMutedUser(world);
  const [api, company] = await Promise.all([
    world.ready(world.api({ REDIS_URL })),
    world.documents.company(),
  ]);
  const emissionId = await world.emit(api, 'appointment-updated', await company.appointment());
  await world.jobIn(emissionId, 'delayed');
  world.worker();
  expect(await world.jobIn(emissionId, 'completed')).toMatchObject({ attemptsMade: 2 });
});
