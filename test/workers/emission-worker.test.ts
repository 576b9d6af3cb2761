import { afterEach, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mongo } from 'mongoose';
import { pino } from 'pino';
import type { Job } from 'bullmq';
import { connectRedis } from '../../src/redis/connect.ts';
import type { EmitAppointment, Receipt } from '../../src/emission/emit-appointment.ts';
import { AppError } from '../../src/errors.ts';
import { closeQueues, openQueues } from '../../src/queue/open-queues.ts';
import { type EmissionJob, JOB_VERSION } from '../../src/queue/emission-job.ts';
import { jobOptions } from '../../src/queue/retry-policy.ts';
import { isUnavailable } from '../../src/process/unavailable.ts';
import { createQuarantine } from '../../src/queue/quarantine.ts';
import { createEmissionWorker } from '../../workers/emission-worker.ts';
import { eventually } from '../harness/until.ts';

const LEVELS = { debug: 20, warn: 40, error: 50 };
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const RECEIPT: Receipt = {
  event: 'appointment:updated',
  epoch: 'an-epoch-of-16-c',
  offset: 1,
  gateways: 1,
  populatedAt: new Date().toISOString(),
  publishedAt: new Date().toISOString(),
};
const emission = (): EmissionJob => ({
  v: JOB_VERSION,
  event: 'appointment:updated',
  appointmentId: '0123456789abcdef01234567',
  companyId: '89abcdef0123456789abcdef',
  emissionId: randomUUID(),
  acceptedAt: new Date().toISOString(),
});

/** A queue, and a worker on it that emits with the given function. */
function start(
  emitAppointment: EmitAppointment,
  {
    attempts = 3,
    concurrency = 5,
    ...lock
  }: { attempts?: number; concurrency?: number; lockMs?: number } = {},
) {
  const prefix = `{t${randomUUID().slice(0, 8)}}`;
  const onError = () => undefined;
  const redis = connectRedis(process.env['TEST_REDIS_URL']!, 'queue', onError);
  open.push(() => {
    redis.disconnect();
  });
  const queues = openQueues({ redis, prefix, onError });
  open.push(() => closeQueues(queues));
  const queue = queues.live;
  const rests: number[] = [];
  const counted: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const worker = createEmissionWorker({
    queueName: queue.name,
    redis,
    prefix,
    concurrency,
    ...lock,
    firstRetryDelayMs: 10,
    emitAppointment,
    quarantine: createQuarantine({
      queue: queue,
      redis,
      reportDamage: () => undefined,
      onFailed: () => undefined,
    }),
    answerCanary: () => Promise.resolve(),
    onProgress: () => undefined,
    onPublished: () => undefined,
    pause: (ms) => {
      rests.push(ms);
      return Promise.resolve();
    },
    isUnavailable,
    metrics: {
      count: (event: string, outcome: string) => counted.push(`${event} ${outcome}`),
      observe: () => undefined,
    } as never,
    onError: () => undefined,
    flow: pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) }),
  });
  open.push(() => worker.close());
  const running = worker.run();
  running.catch(() => undefined);
  const options = jobOptions({ attempts, firstRetryDelayMs: 10 });
  const enqueue = (emissions: EmissionJob[], priority = 0) =>
    queue.addBulk(
      emissions.map((one) => ({
        name: one.event,
        data: one,
        opts: { ...options, jobId: one.emissionId, priority },
      })),
    );

  async function ended(emissionId: string): Promise<{ job: Job; state: string }> {
    return eventually(`job ${emissionId} to end`, async () => {
      const state = await queue.getJobState(emissionId);
      const job = (await queue.getJob(emissionId)) as Job | undefined;
      return job && (state === 'completed' || state === 'failed') ? { job, state } : undefined;
    });
  }
  return { redis, queue, enqueue, ended, rests, counted, lines };
}

/** Rejects with each of the errors once, then succeeds. */
function failing(...errors: Error[]): EmitAppointment & { attempts: number[] } {
  const attempts: number[] = [];
  const emit: EmitAppointment = ({ attempt }) => {
    attempts.push(attempt);
    const error = errors.shift();
    return error ? Promise.reject(error) : Promise.resolve(RECEIPT);
  };
  return Object.assign(emit, { attempts });
}

const nodeError = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

test.each([
  ['MongoDB refuses the connection', new mongo.MongoNetworkError('connect ECONNREFUSED')],
  ['no MongoDB server is found', new mongo.MongoServerSelectionError('timed out', {} as never)],
  ['MongoDB is no longer primary', new mongo.MongoServerError({ code: 10_107, message: 'not primary' })],
  ['MongoDB shuts down', new mongo.MongoServerError({ code: 91, message: 'shutting down' })],
  ['Redis refuses the connection', nodeError('ECONNREFUSED')],
  ['Redis does not answer', new Error('Command timed out')],
  ['Redis loads its file', new Error('LOADING Redis is loading the dataset in memory')],
  ['a Cluster has no node for a key', new Error('Too many Cluster redirections. Last error: TRYAGAIN')],
  ['a Cluster has no connection', new Error('Cluster is ended.')],
  ['a node of a Cluster has no connection', new Error('Node is disconnected')],
  ['the connection closes within a pipeline', new Error('Command aborted due to connection close')],
  ['the connection is replaced', new Error('Connection is discarded because a new connection is made')],
  ['Redis is a replica now', new Error("READONLY You can't write against a read only replica.")],
  ['Redis is full', new Error("OOM command not allowed when used memory > 'maxmemory'.")],
])('if %s, the job pauses and runs again, and no attempt is spent', async (_, error) => {
  const emit = failing(error, error);
  const { enqueue, ended, rests } = start(emit, { attempts: 1 });
  const one = emission();
  await enqueue([one]);

  const { job, state } = await ended(one.emissionId);
  expect({ state, attemptsMade: job.attemptsMade, attempts: emit.attempts, rests }).toEqual({
    state: 'completed',
    attemptsMade: 1,
    attempts: [1, 1, 1],
    rests: [1_000, 1_000],
  });
});

test.each([
  [
    'a query that takes too long',
    new mongo.MongoServerError({ code: 50, codeName: 'MaxTimeMSExpired', message: 'of ann@example.org' }),
    'DATABASE_ERROR: MongoDB did not return the appointment (MaxTimeMSExpired)',
  ],
  [
    'a missing reply of MongoDB',
    new mongo.MongoNetworkTimeoutError('timed out'),
    'DATABASE_ERROR: MongoDB did not return the appointment (MongoNetworkTimeoutError)',
  ],
  ['an unknown error', new Error('boom'), 'INTERNAL_ERROR: boom'],
])('%s spends an attempt, and the last attempt fails the job', async (_, error, words) => {
  const emit = failing(error, error, error);
  const { enqueue, ended, counted } = start(emit, { attempts: 3 });
  const one = emission();
  await enqueue([one]);

  const { job, state } = await ended(one.emissionId);
  expect({ state, attemptsMade: job.attemptsMade, attempts: emit.attempts }).toEqual({
    state: 'failed',
    attemptsMade: 3,
    attempts: [1, 2, 3],
  });
  expect(job.failedReason).toBe(words);
  expect(counted).toEqual([
    'appointment:updated retried',
    'appointment:updated retried',
    'appointment:updated failed',
  ]);
});

test.each([
  ['COMPANY_MISMATCH', 'it is of another company'],
  ['SNAPSHOT_TOO_LARGE', 'it is too large'],
] as const)('%s fails the job at once, and the reason begins with the code', async (code, words) => {
  const emit = failing(new AppError(code, words));
  const { enqueue, ended } = start(emit);
  const one = emission();
  await enqueue([one]);

  const { job, state } = await ended(one.emissionId);
  expect({ state, attemptsMade: job.attemptsMade, failedReason: job.failedReason }).toEqual({
    state: 'failed',
    attemptsMade: 1,
    failedReason: `${code}: ${words}`,
  });
});

test('a job that no worker can parse fails at once, and the reason names the field', async () => {
  const { queue, ended } = start(failing());
  const { id } = await queue.add('appointment:updated', { ...emission(), v: 0 }, { attempts: 5 });

  const { job, state } = await ended(id!);
  expect({ state, attemptsMade: job.attemptsMade }).toEqual({ state: 'failed', attemptsMade: 1 });
  expect(job.failedReason).toMatch(/^JOB_INVALID: the job's v is not usable/);
});

test.each([
  ['5 s of 10 s', {}, 2_000, 5_100],
  ['3 s of 6 s', { lockMs: 6_000 }, 1_000, 3_100],
])('a job counts as repeated as soon as half of its lock is over: %s', async (_, lock, before, after) => {
  const seen: boolean[] = [];
  const { enqueue, ended } = start((attempt) => {
    const fetchedAt = Date.now();
    for (const ms of [0, before, after, -60_000]) {
      const clock = jest.spyOn(Date, 'now').mockReturnValue(fetchedAt + ms);
      seen.push(attempt.isRepeated());
      clock.mockRestore();
    }
    return Promise.resolve(RECEIPT);
  }, lock);
  const one = emission();
  await enqueue([one]);
  await ended(one.emissionId);
  // If the clock was set back, the age is unknown.
  expect(seen).toEqual([false, false, true, true]);
});

test('a second attempt counts as repeated, and the first one of a worker after another worker died', async () => {
  const seen: (readonly [id: string, attempt: number, isRepeated: boolean])[] = [];
  const fail = failing(new Error('once'));
  const { redis, queue, enqueue, ended } = start((attempt) => {
    seen.push([attempt.emissionId, attempt.attempt, attempt.isRepeated()]);
    return fail(attempt);
  });
  const [retried, taken] = [emission(), emission()];
  await enqueue([retried]);
  await ended(retried.emissionId);
  await queue.pause();
  await enqueue([taken]);
  // As BullMQ's script counts the run of a worker.
  await redis.hset(queue.toKey(taken.emissionId), { ats: 1 });
  await queue.resume();
  await ended(taken.emissionId);
  expect(seen).toEqual([
    [retried.emissionId, 1, false],
    [retried.emissionId, 2, true],
    [taken.emissionId, 1, true],
  ]);
});

test('the receipt is kept with the job', async () => {
  const { enqueue, ended } = start(failing());
  const one = emission();
  await enqueue([one]);
  expect((await ended(one.emissionId)).job.returnvalue).toEqual(RECEIPT);
});

test('live emissions run before batches, and batches before those of the sweep', async () => {
  const order: string[] = [];
  const { queue, enqueue, ended } = start(
    ({ emissionId }) => {
      order.push(emissionId);
      return Promise.resolve(RECEIPT);
    },
    { concurrency: 1 },
  );
  await queue.pause();
  const [sweep, batch, live] = [emission(), emission(), emission()];
  await enqueue([sweep], 20);
  await enqueue([batch], 10);
  await enqueue([live]);
  await queue.resume();
  await ended(sweep.emissionId);
  expect(order).toEqual([live.emissionId, batch.emissionId, sweep.emissionId]);
});

test('at most 5,000 completed jobs are kept', async () => {
  const { queue, enqueue } = start(failing(), { concurrency: 200 });
  for (let round = 0; round < 6; round += 1) {
    await enqueue(Array.from({ length: 900 }, emission));
  }
  await eventually(
    'all to be completed',
    async () => {
      const { active, waiting } = await queue.getJobCounts('active', 'waiting');
      return active === 0 && waiting === 0;
    },
    30_000,
  );
  expect(await queue.getCompletedCount()).toBe(5_000);
});

test('each attempt is logged with its outcome, in a line that begins with [InternalSocket]', async () => {
  const emit = failing(nodeError('ECONNREFUSED'), new Error('read ECONNRESET'), new Error('boom'));
  const { enqueue, ended, lines } = start(emit, { attempts: 2 });
  const lost = emission();
  await enqueue([lost]);
  await ended(lost.emissionId);
  const failedToEmit = `[InternalSocket] Failed to emit appointment:updated for ${lost.appointmentId}`;
  await eventually('the last line', () => lines.some(({ msg }) => msg === failedToEmit));
  const ids = { emissionId: lost.emissionId, appointmentId: lost.appointmentId };
  expect(lines).toEqual([
    expect.objectContaining({
      ...ids,
      level: LEVELS.warn,
      msg: '[InternalSocket] Failed to emit: MongoDB or Redis is unavailable; no attempt is spent',
    }),
    expect.objectContaining({ ...ids, level: LEVELS.warn, msg: `${failedToEmit}: attempt 1 failed` }),
    expect.objectContaining({ ...ids, level: LEVELS.warn, msg: `${failedToEmit}: attempt 2 failed` }),
    expect.objectContaining({
      ...ids,
      level: LEVELS.error,
      msg: failedToEmit,
      error: 'INTERNAL_ERROR: boom',
    }),
  ]);
});

test('a permanent failure is logged once as an error, with its reason', async () => {
  const { enqueue, ended, lines } = start(failing(new AppError('SNAPSHOT_TOO_LARGE', 'too large')));
  const one = emission();
  await enqueue([one]);
  await ended(one.emissionId);
  await eventually('both lines', () => lines.length === 2);
  const failedToEmit = `[InternalSocket] Failed to emit appointment:updated for ${one.appointmentId}`;
  expect(lines).toEqual([
    expect.objectContaining({ level: LEVELS.debug, msg: `${failedToEmit}: no attempt can succeed` }),
    expect.objectContaining({
      level: LEVELS.error,
      msg: failedToEmit,
      error: 'SNAPSHOT_TOO_LARGE: too large',
    }),
  ]);
});

test.each([
  ['its event and id', 'appointment:updated', {}, 'appointment:updated for 0123456789abcdef01234567'],
  ['its id alone, if its name is unknown', 'garbage', {}, 'an event for 0123456789abcdef01234567'],
  ['its event alone', 'appointment:updated', { appointmentId: 'Ann Bauer' }, 'appointment:updated'],
])('the log names a job that cannot be parsed by %s', async (_, name, damage, named) => {
  const { queue, ended, lines } = start(failing());
  const { id } = await queue.add(name, { ...emission(), v: 0, ...damage }, { attempts: 5 });
  await ended(id!);
  await eventually('both lines', () => lines.length === 2);
  const failedToEmit = `[InternalSocket] Failed to emit ${named}`;
  expect(lines).toEqual([
    expect.objectContaining({ level: LEVELS.debug, msg: `${failedToEmit}: no attempt can succeed` }),
    expect.objectContaining({ level: LEVELS.error, msg: failedToEmit }),
  ]);
  expect(JSON.stringify(lines)).not.toContain('Ann');
});
