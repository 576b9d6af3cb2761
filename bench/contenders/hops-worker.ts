import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { companyRoom, QUEUE_NAME } from '@appointment-emissions/contracts';
import { emitterTo } from '../harness/rooms.ts';

/** The network hops only: publishes the ids of the job without reading the appointment. */
const redis = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null, replyMapping: 'legacy' });
const emitter = emitterTo(redis);
const worker = new Worker<{ appointmentId: string; companyId: string }>(
  QUEUE_NAME,
  ({ name, data: { appointmentId: _id, companyId } }) => {
    emitter.to(companyRoom(companyId)).emit(name, { appointment: { _id, companyId } }, {});
    return Promise.resolve();
  },
  { connection: redis, prefix: process.env['QUEUE_PREFIX']!, concurrency: 200 },
);
await worker.waitUntilReady();
process.send?.({ ready: true });
process.once('SIGTERM', () => process.exit(0));
