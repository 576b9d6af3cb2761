import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { admin, quietWorld } from './admin.ts';

const BACKLOG = 5_000;
const CONCURRENCY = 10;

let world: World;
afterEach(() => world.close());

test('a backlog of batches leaves a live booking’s place in the line alone', async () => {
  world = await quietWorld({ WORKER_CONCURRENCY: String(CONCURRENCY) });
  const api = await world.api();
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const emissions = Array.from({ length: 1_000 }, () => ({ event: 'appointment:updated', appointmentId }));
  for (let sent = 0; sent < BACKLOG; sent += emissions.length) {
    expect((await world.post(api, 'batch', { emissions })).status).toBe(202);
  }
  const position = async () =>
    Number(await world.redis.hget(`{company:${company.companyId}}:position`, 'offset'));
  const booked = await company.appointment();
  world.worker();
  await eventually('the worker to be at the backlog', async () => (await position()) > 0);

  const emissionId = await world.emit(api, 'appointment-created', booked);
  const publishedBefore = await position();
  await world.jobIn(emissionId, 'completed');
  const { offset } = (await world.queue.getJob(emissionId))?.returnvalue as { offset: number };
  // Only what the worker had in its hands already came before it.
  expect(offset).toBeLessThanOrEqual(publishedBefore + 2 * CONCURRENCY);
  expect(offset).toBeLessThan(BACKLOG / 2);
  expect(await world.queue.getPrioritizedCount()).toBeGreaterThan(0);
});

test('retried by the thousand, jobs stand behind live bookings and batches', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const failed = await world.emit(api, 'appointment-created', appointmentId);
  const { Appointment } = world.documents.models;
  const documents = await Appointment.collection.find().toArray();
  await Appointment.collection.deleteMany({});
  const worker = world.worker();
  await world.jobIn(failed, 'failed');
  await worker.close();
  await Appointment.collection.insertMany(documents);

  await admin(api, 'retry-failed', { since: '1h' });
  const answer = await world.post(api, 'batch', {
    emissions: [{ event: 'appointment:updated', appointmentId }],
  });
  const { results } = (await answer.json()) as { results: { emissionId: string }[] };
  const live = await world.emit(api, 'appointment-updated', appointmentId);
  const batch = results[0]!.emissionId;
  const order: string[] = [];
  const dashboard = await world.dashboard(api, company.companyId);
  world.worker({ WORKER_CONCURRENCY: '1' });
  await dashboard.hear(({ meta }) => meta.emissionId === failed);
  for (const { meta } of dashboard.heard) order.push(meta.emissionId);
  expect(order).toEqual([live, batch, failed]);
});
