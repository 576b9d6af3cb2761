import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type JobsOptions, Worker } from 'bullmq';
import { randomBytes } from 'node:crypto';
import { connectRedis } from '../../src/redis/connect.ts';
import { QUEUE_NAME } from '@appointment-emissions/contracts';
import { JOB_VERSION } from '../../src/queue/emission-job.ts';
import { jobOptions } from '../../src/queue/retry-policy.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
let company: Company;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
});
afterAll(() => world.close());
beforeEach(async () => {
  company = await world.documents.company();
});

describe('jobs of other versions', () => {
  let emit: (data: object, over?: JobsOptions) => Promise<string>;
  beforeAll(() => {
    world.worker();
    emit = async (data, over) => {
      const emissionId = randomId();
      await world.queue.add(
        'appointment:updated',
        { ...data, emissionId },
        {
          ...jobOptions({ attempts: 3, firstRetryDelayMs: 50 }),
          jobId: emissionId,
          ...over,
        },
      );
      return emissionId;
    };
  });

  test('fields that a newer API may add are ignored', async () => {
    const data = await jobData({ reason: 'a field of the future', traceparent: 42 });
    await world.jobIn(await emit(data), 'completed');
  });

  test('a job of a later version is left to a newer worker, and spends no attempt', async () => {
    const data = await jobData({ v: JOB_VERSION + 1, whatever: 'it holds' });
    const emissionId = await emit(data);
    const left = await world.jobIn(emissionId, 'delayed');
    expect([left.attemptsMade, left.data]).toEqual([0, { ...data, emissionId }]);

    const connection = connectRedis(world.env['REDIS_URL']!, 'queue', () => undefined);
    const taken: unknown[] = [];
    const newer = new Worker(QUEUE_NAME, (job) => Promise.resolve(taken.push(job.data)), {
      connection,
      prefix: world.env['QUEUE_PREFIX']!,
    });
    world.keep(newer, async () => {
      await newer.close();
      connection.disconnect();
    });
    // Either worker may get the job each time; the older one delays it again.
    await eventually(
      'the newer worker to take the job',
      async () => {
        if ((await world.jobs.stateOf(emissionId)) === 'delayed') await left.promote().catch(() => undefined);
        return taken.length > 0;
      },
      30_000,
    );
    const done = await world.jobIn(emissionId, 'completed');
    expect(taken).toEqual([{ ...data, emissionId }]);
    expect(done.attemptsMade).toBe(1);
    await newer.close();
  });

  test('a job of a later version fails with a reason after ten minutes without a newer worker, and can be retried', async () => {
    const data = await jobData({ v: JOB_VERSION + 1, whatever: 'it holds' });
    const emissionId = await emit(data, { timestamp: Date.now() - 10 * 60_000 });
    const job = await world.jobIn(emissionId, 'failed');
    expect(job.failedReason).toMatch(/^JOB_INVALID: the job's v is not usable/);
    expect([job.attemptsMade, job.data]).toEqual([1, { ...data, emissionId }]);
  });

  async function jobData(over: object) {
    const [appointmentId, acceptedAt] = [await company.appointment(), new Date().toISOString()];
    const { companyId } = company;
    return { v: JOB_VERSION, event: 'appointment:updated', appointmentId, companyId, acceptedAt, ...over };
  }
});

const randomId = () => randomBytes(12).toString('hex');
