import { randomUUID } from 'node:crypto';
import type { JobsOptions, Queue } from 'bullmq';
import fc from 'fast-check';
import { APPOINTMENT_EVENTS, type QueueName } from '@appointment-emissions/contracts';
import type { RedisClient } from '../../src/redis/connect.ts';
import { eventually } from '../../test/harness/until.ts';
import { mutated, mutatedBytes, oddValues, rarely, textOf, toJson } from './mutate.ts';
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
      queue: fc.constantFrom<QueueName[]>('live', 'bulk'),
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
    const queues = { live: world.queue, bulk: world.bulk };
    const added = await Promise.all(jobs.map((one) => addJob(world.redis, queues[one.queue], one)));
    for (const one of added) target.count(one ? await whenEnded(target, one) : 'not added');
  });
};

interface FuzzedJob {
  queue: QueueName;
  name: string;
  data: unknown;
  options: unknown;
  damage: Damage | undefined;
}
interface AddedJob {
  queue: Queue;
  jobId: string;
}
/** Replaces or changes a field of a job's record, or removes the record. */
type Damage =
  { field: string; text: string } | { field: string; edit: (bytes: Buffer) => Buffer } | 'removed';

const damages: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(fc.constantFrom(...FIELDS), oddValues, fc.boolean()).map(([field, value, isJson]): Damage => {
    return { field, text: isJson ? toJson(value) : textOf(value) };
  }),
  fc.record({ field: fc.constantFrom('data', 'opts'), edit: mutatedBytes(1) }),
  fc.constant<Damage>('removed'),
);

async function damageJob(redis: RedisClient, key: string, damage: Damage): Promise<void> {
  if (damage === 'removed') {
    await redis.del(key);
    return;
  }
  const { field } = damage;
  const edited = (text: string | null, edit: (bytes: Buffer) => Buffer) =>
    edit(Buffer.from(text ?? '')).toString('latin1');
  const text = 'text' in damage ? damage.text : edited(await redis.hget(key, field), damage.edit);
  await redis.hset(key, field, text);
}

/** Resolves to undefined if BullMQ's own producer refuses it. */
async function addJob(
  redis: RedisClient,
  queue: Queue,
  { name, data, options, damage }: FuzzedJob,
): Promise<AddedJob | undefined> {
  const jobId = randomUUID();
  const given = (typeof options === 'object' ? options : {}) as JobsOptions;
  try {
    await queue.add(name, data, { ...given, jobId, ...(damage && { delay: DELAY_MS }) });
  } catch {
    return undefined;
  }
  if (damage) await damageJob(redis, queue.toKey(jobId), damage);
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
  const record = await target.world.redis.hgetall(queue.toKey(jobId));
  // The damage came after the end.
  if (Object.keys(record).length === 0) return 'failed, and its record was removed';
  const { failedReason: reason = '' } = record;
  if (!/^[A-Z_]+: /.test(reason) && !/stalled/.test(reason)) throw new Error(`a job failed with "${reason}"`);
  return reason.slice(0, reason.indexOf(':'));
}
