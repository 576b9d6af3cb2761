import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createConnection } from 'mongoose';
import { companyRoom, QUEUE_NAME } from '@appointment-emissions/contracts';
import { createMongooseModels } from '../../demo/models.ts';
import { emitterTo } from '../harness/rooms.ts';

/** A straightforward first implementation: for each job, mongoose populates the appointment and the emitter publishes it. */
const redis = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null, replyMapping: 'legacy' });
const connection = createConnection();
await connection.openUri(process.env['MONGODB_URI']!);
const { Appointment } = createMongooseModels(connection);
const emitter = emitterTo(redis);
const worker = new Worker<{ appointmentId: string }>(
  QUEUE_NAME,
  async ({ name, data }) => {
    const appointment = await Appointment.findById(data.appointmentId)
      .populate(['customerId', 'petId', 'serviceId', 'serviceItemId', 'staffId'])
      .lean();
    emitter.to(companyRoom(String(appointment?.companyId))).emit(name, { appointment });
  },
  {
    connection: redis,
    prefix: process.env['QUEUE_PREFIX']!,
    concurrency: Number(process.env['WORKER_CONCURRENCY'] ?? 200),
  },
);
await worker.waitUntilReady();
process.send?.({ ready: true });
process.once('SIGTERM', () => process.exit(0));
