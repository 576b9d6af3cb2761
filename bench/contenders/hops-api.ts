import { Queue } from 'bullmq';
import express from 'express';
import { Redis } from 'ioredis';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QUEUE_NAME } from '@appointment-emissions/contracts';
import { openRooms } from '../harness/rooms.ts';

/** The network hops only: adds a job without any check or read. The gateway runs in the same process. */
const redis = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null, replyMapping: 'legacy' });
const queue = new Queue(QUEUE_NAME, { connection: redis, prefix: process.env['QUEUE_PREFIX']! });

const app = express();
const server = createServer(app);
openRooms(server, redis);
app.use(express.json());
app.post('/emit', async (req, res) => {
  const { appointmentId } = req.body as { appointmentId: string };
  const companyId = process.env['HOPS_COMPANY']!;
  const { id } = await queue.add('appointment:updated', { appointmentId, companyId });
  res.status(202).json({ success: true, emissionId: id });
});
server.listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
