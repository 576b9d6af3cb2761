import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
let api: { url: string };
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  api = await world.ready(world.api());
  world.worker();
});
afterAll(() => world.close());

test('the emission of an appointment that another company has fails at once, with a reason, and nothing is sent', async () => {
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const appointmentId = await company.appointment();
  await world.jobs.pause();
  const emissionId = await world.emit(api, 'appointment-canceled', appointmentId);
  await world.documents.giveAway(appointmentId);
  await world.jobs.resume();

  const job = await world.jobIn(emissionId, 'failed');
  expect(job.failedReason).toBe(
    `COMPANY_MISMATCH: appointment ${appointmentId} belongs to another company than the emission was accepted for`,
  );
  expect(job.attemptsMade).toBe(1);
  expect(dashboard.received).toEqual([]);
});

test('a snapshot that is too large fails with a reason, and a retry after its repair reaches the dashboard', async () => {
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const appointmentId = await company.appointment({ notes: 'x'.repeat(300_000) });

  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  const job = await world.jobIn(emissionId, 'failed');
  expect(job.failedReason).toMatch(/^SNAPSHOT_TOO_LARGE: .*shorten its notes$/);
  expect(job.attemptsMade).toBe(1);

  await company.change(appointmentId, { notes: 'shortened' });
  await job.retry();
  const received = await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  expect(received.payload.appointment.notes).toBe('shortened');
  expect(received.meta.attempt).toBe(2);
  await world.jobIn(emissionId, 'completed');
});

test('a bad appointment neither delays nor fails the other emissions of its batch', async () => {
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const good = await Promise.all(Array.from({ length: 5 }, () => company.appointment()));
  const [foreign, large] = await Promise.all([
    company.appointment(),
    company.appointment({ notes: 'x'.repeat(300_000) }),
  ]);
  await world.jobs.pause();
  const emissionIds = new Map<string, string>();
  for (const appointmentId of [foreign, ...good, large]) {
    emissionIds.set(appointmentId, await world.emit(api, 'appointment-created', appointmentId));
  }
  await world.documents.giveAway(foreign);
  await world.jobs.resume();

  for (const appointmentId of good) {
    const received = await dashboard.receive(
      ({ meta }) => meta.emissionId === emissionIds.get(appointmentId),
    );
    expect(received.meta.attempt).toBe(1);
  }
  for (const appointmentId of [foreign, large]) await world.jobIn(emissionIds.get(appointmentId)!, 'failed');
});

test('fields of the wrong type become null; the other fields reach the dashboard', async () => {
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const appointmentId = await company.appointment({
    start: 'tomorrow',
    status: 7,
    notes: { text: 'x' },
    customerId: 'nobody',
    petId: null,
    staffId: [company.staff._id],
  });

  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  const { payload } = await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  expect(payload.appointment).toMatchObject({
    _id: appointmentId,
    companyId: company.companyId,
    start: null,
    status: null,
    notes: null,
    customerId: null,
    petId: null,
    staffId: null,
    serviceId: { name: 'Full groom' },
    source: 'instagram',
  });
});

test('finished jobs are kept up to a maximum age and a maximum number', async () => {
  const company = await world.documents.company();
  const completed = world.queue.toKey('completed');
  const now = Date.now();
  await world.redis.zadd(completed, now - 2 * 86_400_000, 'of-the-day-before-yesterday');
  const many = Array.from({ length: 6_000 }, (_, i) => [now, `of-now-${i}`]).flat();
  await world.redis.zadd(completed, ...many);
  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
  await world.jobIn(emissionId, 'completed');
  expect(await world.redis.zscore(completed, 'of-the-day-before-yesterday')).toBeNull();
  expect(await world.redis.zcard(completed)).toBe(5_000);

  const failed = world.queue.toKey('failed');
  await world.redis.zadd(failed, now - 15 * 86_400_000, 'of-long-ago', now - 13 * 86_400_000, 'of-last-week');
  const foreign = await company.appointment();
  await world.jobs.pause();
  const failing = await world.emit(api, 'appointment-created', foreign);
  await world.documents.giveAway(foreign);
  await world.jobs.resume();
  await world.jobIn(failing, 'failed');
  expect(await world.redis.zscore(failed, 'of-long-ago')).toBeNull();
  expect(await world.redis.zscore(failed, 'of-last-week')).not.toBeNull();
});
