import { Queue } from 'bullmq';
import express from 'express';
import { body, validationResult } from 'express-validator';
import { Redis } from 'ioredis';
import { createConnection } from 'mongoose';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QUEUE_NAME } from '@appointment-emissions/contracts';
import { createMongooseModels } from '../../demo/models.ts';
import { openRooms } from '../harness/rooms.ts';

/** A straightforward first implementation: one `exists` and one `add` per request, the gateway in the same process. */
const connection = createConnection();
await connection.openUri(process.env['MONGODB_URI']!);
const { Appointment } = createMongooseModels(connection);
const redis = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null, replyMapping: 'legacy' });
const queue = new Queue(QUEUE_NAME, { connection: redis, prefix: process.env['QUEUE_PREFIX']! });

const app = express();
const server = createServer(app);
openRooms(server, redis);
app.use(express.json());
app.post('/emit', body('appointmentId').isMongoId(), async (req, res) => {
  if (req.get('x-api-key') !== process.env['INTERNAL_SERVICE_API_KEY']) {
    res.status(403).json({ success: false });
    return;
  }
  if (!validationResult(req).isEmpty()) {
    res.status(400).json({ success: false });
    return;
  }
  const { appointmentId } = req.body as { appointmentId: string };
  if (!(await Appointment.exists({ _id: appointmentId }))) {
    res.status(404).json({ success: false });
    return;
  }
  const job = await queue.add('appointment:updated', { appointmentId });
  res.status(202).json({ success: true, event: 'appointment:updated', appointmentId, emissionId: job.id });
});
server.listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
