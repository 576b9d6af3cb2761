import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Emitter } from '@socket.io/redis-emitter';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { QUEUE_NAME } from '@appointment-emissions/contracts';
import { createMutedUser } from '../harness/redis-users.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
/** A Redis user that is denied PUBLISH until the test allows it. */
let muted: Awaited<ReturnType<typeof createMutedUser>>;
beforeEach(async () => {
  world = await createWorld({
    env: { RECONCILE_INTERVAL_MS: '0', EMISSION_ATTEMPTS: '2', API_CONCURRENCY: '0' },
  });
  muted = await createMutedUser(world);
});
afterEach(() => world.close());

test('a failed publish fails the job; a retry after the repair reaches the dashboard', async () => {
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const dashboard = await world.dashboard(api, company.companyId);
  world.worker({ REDIS_URL: muted.url });

  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
  const job = await world.jobIn(emissionId, 'failed');
  expect(job.failedReason).toMatch(/publish|can't run this command/i);
  expect(job.attemptsMade).toBe(2);
  expect(dashboard.received).toEqual([]);

  await muted.allow('+publish');
  await job.retry();
  const received = await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  expect(received.meta.attempt).toBe(3);
  // The next offset follows.
  const next = await world.emit(api, 'appointment-updated', received.payload.appointment._id);
  const after = await dashboard.receive(({ meta }) => meta.emissionId === next);
  expect(after.meta.offset).toBe(received.meta.offset + 1);
});

test('negative control: with the plain emitter the same job completes, and no dashboard receives the event', async () => {
  const [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
  const dashboard = await world.dashboard(api, company.companyId);
  const publisher = new Redis(muted.url, { replyMapping: 'legacy' });
  world.keep(publisher, () => {
    publisher.disconnect();
  });
  const dropped: Promise<unknown>[] = [];
  const emitter = new Emitter(
    {
      publish: (channel: string, message: Buffer) => {
        const reply = publisher.publish(channel, message);
        // The emitter drops this promise: its rejection would end the process.
        dropped.push(reply.catch((error: unknown) => error));
        return reply;
      },
    },
    { key: world.env['SOCKET_ADAPTER_KEY']! },
  );
  const naive = new Worker(
    QUEUE_NAME,
    (job) => {
      const room = emitter.to(`company:${company.companyId}`);
      return Promise.resolve(room.emit(job.name, { appointment: {} }, { emissionId: job.id }));
    },
    { connection: world.redis, prefix: world.env['QUEUE_PREFIX']! },
  );
  world.keep(naive, () => naive.close());

  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
  const job = await world.jobIn(emissionId, 'completed');
  expect(job.returnvalue).toBe(true);
  expect(await Promise.all(dropped)).toEqual([
    expect.objectContaining({ message: expect.stringContaining('NOPERM') }),
  ]);
  expect(dashboard.received).toEqual([]);
});
