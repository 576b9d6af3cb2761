import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { BULK_QUEUE_NAME } from '@appointment-emissions/contracts';
import { jobOptions, PRIORITY } from '../../src/queue/retry-policy.ts';

/** Adds bulk emissions at a steady rate, in a process of its own, so that it delays neither the fleet nor the measurement. */
export interface FeedRequest {
  /** Emissions per second; 0 stops. */
  rate: number;
  ids: readonly { appointmentId: string; companyId: string }[];
}

const EVERY_MS = 20;
const redis = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null, replyMapping: 'legacy' });
const queue = new Queue(BULK_QUEUE_NAME, { connection: redis, prefix: process.env['QUEUE_PREFIX']! });
const options = { ...jobOptions({ attempts: 8, firstRetryDelayMs: 500 }), priority: PRIORITY.batch };
let timer: NodeJS.Timeout | undefined;

process.on('message', ({ rate, ids }: Partial<FeedRequest>) => {
  if (rate === undefined || ids === undefined) return;
  clearInterval(timer);
  if (rate === 0) return;
  const startedAt = performance.now();
  let added = 0;
  timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) * rate) / 1_000);
    const acceptedAt = new Date().toISOString();
    const jobs = Array.from({ length: due - added }, (_, i) => {
      const emissionId = randomUUID();
      const target = ids[(added + i) % ids.length]!;
      return {
        name: 'appointment:updated',
        data: { v: 1, event: 'appointment:updated', ...target, emissionId, acceptedAt },
        opts: { ...options, jobId: emissionId },
      };
    });
    added = due;
    void queue.addBulk(jobs);
  }, EVERY_MS);
});
process.send?.({ ready: true });
