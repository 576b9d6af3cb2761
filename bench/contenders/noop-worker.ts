import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { QUEUE_NAME } from '@appointment-emissions/contracts';

/** The baseline of `worker`: a BullMQ worker whose processor does nothing. */
const redis = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null, replyMapping: 'legacy' });
const worker = new Worker(QUEUE_NAME, () => Promise.resolve(), {
  connection: redis,
  prefix: process.env['QUEUE_PREFIX']!,
  concurrency: Number(process.env['WORKER_CONCURRENCY'] ?? 200),
});
await worker.waitUntilReady();
process.send?.({ ready: true });
process.once('SIGTERM', () => process.exit(0));
