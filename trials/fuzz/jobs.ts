import { randomUUID } from 'node:crypto';
import type { JobsOptions, Queue } from 'bullmq';
import fc from 'fast-check';
import { APPOINTMENT_EVENTS } from '@appointment-emissions/contracts';
import type { RedisClient } from '../../src/redis/connect.ts';
import { eventually } from '../../test/harness/until.ts';
import { mutated, mutatedBytes, oddValues, rarely } from './mutate.ts';
import { type OpenSurface, surfaceOf } from './surface.ts';
import type { Target } from './target.ts';

/** A stalled job is found after its lock of 10 s, at a check every 5 s. */
const ENDED_WITHIN_MS = 40_000;
/** The record of a job is damaged before a worker gets it. */
const DELAY_MS = 40;
const ENDED = new Set(['completed', 'failed', 'unknown', 'delayed']);

/** Fields of BullMQ's record of a job. */
const FIELDS =
  'name data opts timestamp delay priority atm ats stc stacktrace returnvalue parent parentKey rjk deid failedReason finishedOn processedOn pb progress'.split(
    ' ',
  );

/** Jobs of another program: changed data, names and options, and damaged records. */
export const openJobs: OpenSurface = (target) => {
  const { world, company, other, appointments, log } = target;
  log.expect(/^\[InternalSocket\] Failed to emit/);
  const data = (event: string) => ({
    v: 1,
    event,
    appointmentId: appointments[0],
    companyId: company.companyId,
    emissionId: randomUUID(),
    acceptedAt: new Date().toISOString(),
  });
  const job = fc.constantFrom(...APPOINTMENT_EVENTS, 'canary').chain((event) =>
    fc.record({
      queue: fc.constantFrom(world.queue, world.bulk),
      name: fc.oneof({ weight: 9, arbitrary: fc.constant(event) }, { weight: 1, arbitrary: fc.string() }),
      data: fc.oneof(
        { weight: 8, arbitrary: mutated(data(event)) },
        { weight: 1, arbitrary: oddValues },
        { weight: 1, arbitrary: mutated({ ...data(event), companyId: other.companyId }, 1) },
      ),
      options: fc.oneof(
        { weight: 3, arbitrary: fc.constant({ attempts: 2 }) },
        { weight: 1, arbitrary: mutated({ attempts: 2, priority: 10, backoff: { type: 'custom' } }, 2) },
      ),
      damage: rarely(damages),
    }),
  );
  return surfaceOf(fc.array(job, { minLength: 1, maxLength: 6 }), async (jobs) => {
    const added = await Promise.all(jobs.map((one) => addJob(world.redis, one)));
    for (const one of added) target.count(one ? await whenEnded(target, one) : 'not added');
  });
};

interface FuzzedJob {
  queue: Queue;
  name: string;
  data: unknown;
  options: unknown;
  damage: Damage | undefined;
}
interface AddedJob {
  queue: Queue;
  jobId: string;
}
type Damage = (redis: RedisClient, key: string) => Promise<unknown>;

const damages: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(fc.constantFrom(...FIELDS), oddValues, fc.boolean()).map(([field, value, isJson]): Damage => {
    const text = isJson || typeof value !== 'string' ? JSON.stringify(value) : value;
    return (redis, key) => redis.hset(key, field, text);
  }),
  fc.tuple(fc.constantFrom('data', 'opts'), mutatedBytes(1)).map(([field, edit]): Damage => {
    return async (redis, key) => {
      const text = (await redis.hget(key, field)) ?? '';
      return redis.hset(key, field, edit(Buffer.from(text)).toString('latin1'));
    };
  }),
  fc.constant<Damage>((redis, key) => redis.del(key)),
);

/** Resolves to undefined if BullMQ's own producer refuses it. */
async function addJob(
  redis: RedisClient,
  { queue, name, data, options, damage }: FuzzedJob,
): Promise<AddedJob | undefined> {
  const jobId = randomUUID();
  const given = (typeof options === 'object' ? options : {}) as JobsOptions;
  try {
    await queue.add(name, data, { ...given, jobId, ...(damage && { delay: DELAY_MS }) });
  } catch {
    return undefined;
  }
  await damage?.(redis, queue.toKey(jobId));
  return { queue, jobId };
}

/** The job has ended, or waits for a later time. */
async function whenEnded(target: Target, { queue, jobId }: AddedJob): Promise<string> {
  const state = await eventually(
    `job ${jobId} to end`,
    async () => {
      const now = await queue.getJobState(jobId);
      if (!ENDED.has(now)) throw new Error(`it is ${now}`);
      return now;
    },
    ENDED_WITHIN_MS,
  );
  if (state !== 'failed') return state;
  const reason = (await target.world.redis.hget(queue.toKey(jobId), 'failedReason')) ?? '';
  if (!/^[A-Z_]+: /.test(reason) && !/stalled/.test(reason)) throw new Error(`a job failed with "${reason}"`);
  return reason.slice(0, reason.indexOf(':'));
}
