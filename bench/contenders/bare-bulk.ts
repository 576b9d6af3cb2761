import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import express from 'express';
import { Redis } from 'ioredis';
import type { AddressInfo } from 'node:net';
import { QUEUE_NAME } from '@appointment-emissions/contracts';
import { jobOptions, PRIORITY } from '../../src/queue/retry-policy.ts';

/** The lower bound for a batch: parses JSON, calls `addBulk` and replies. No checks, metrics, logs or recent ids. */
const redis = new Redis(process.env['REDIS_URL']!, { maxRetriesPerRequest: null, replyMapping: 'legacy' });
const queue = new Queue(QUEUE_NAME, { connection: redis, prefix: process.env['QUEUE_PREFIX']! });
const options = jobOptions({ attempts: 8, firstRetryDelayMs: 500 });
const companyId = '0'.repeat(24);

const app = express();
app.disable('x-powered-by');
app.use(express.json());
app.post('/batch', async (req, res) => {
  const { emissions } = req.body as { emissions: { event: string; appointmentId: string }[] };
  const acceptedAt = new Date().toISOString();
  const jobs = emissions.map(({ event, appointmentId }) => {
    const emissionId = randomUUID();
    return {
      name: event,
      data: { v: 1, event, appointmentId, companyId, emissionId, acceptedAt },
      opts: { ...options, jobId: emissionId, priority: PRIORITY.batch },
    };
  });
  await queue.addBulk(jobs);
  res.status(202).json({ success: true, emissionIds: jobs.map(({ opts }) => opts.jobId) });
});
const server = app.listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
