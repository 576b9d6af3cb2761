import { afterEach, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import type { World } from '../harness/world.ts';
import { admin, quietWorld } from './admin.ts';

const HOUR_MS = 3_600_000;
let world: World;
afterEach(() => world.close());

async function failed(api: { url: string }): Promise<string> {
  const company = await world.documents.company();
  const id = await company.appointment();
  const emissionId = await world.emit(api, 'appointment-created', id);
  await world.documents.giveAway();
  world.worker();
  await world.jobIn(emissionId, 'failed');
  return emissionId;
}

test('re-emit emits the requested number although unusable rows come first, and counts those rows', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const company = await world.documents.company();
  const { collection } = world.documents.models.Appointment;
  const at = (minutes: number) => new Date(Date.now() - minutes * 60_000);
  const companyId = new Types.ObjectId(company.companyId);
  const rows = [5, 'booking-5', { n: 5 }].map((_id) => ({ _id, companyId, updatedAt: at(30) }));
  await collection.insertMany(rows as never);
  const ids = await Promise.all(
    [20, 15, 10].map((minutes) => company.appointment({ updatedAt: at(minutes) })),
  );
  const asText = await company.appointment({ updatedAt: at(5), companyId: company.companyId });

  const some = await admin(api, 're-emit', { companyId: company.companyId, since: '1h', limit: 2 });
  expect(some.body).toMatchObject({ matched: 7, repaired: 2, leftOut: 3 });
  const emitted = (some.body as { emissions: { appointmentId: string }[] }).emissions;
  expect(emitted.map(({ appointmentId }) => appointmentId)).toEqual(ids.slice(0, 2));
  const all = await admin(api, 're-emit', { companyId: company.companyId, since: '1h', dryRun: true });
  expect(all.body).toMatchObject({ matched: 7, repaired: 4, leftOut: 3 });
  expect(JSON.stringify(all.body)).toContain(asText);
});

test('one appointment is emitted again with any value of updatedAt', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const company = await world.documents.company();
  const appointmentId = await company.appointment({ updatedAt: '2026-11-28T10:00:00Z' });
  const { body } = await admin(api, 're-emit', { appointmentId, since: '1h' });
  expect(body).toMatchObject({ repaired: 1, leftOut: 0 });
});

test('failed jobs without an emission hide no other failed job, on the page and in a repair', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const emissionId = await failed(api);
  const now = Date.now();
  for (let n = 0; n < 60; n += 1) {
    const id = `foreign-${n}`;
    await world.redis.zadd(world.queue.toKey('failed'), n % 2 === 0 ? now + 1_000 : now - 60_000, id);
    if (n % 3 > 0)
      await world.redis.hset(world.queue.toKey(id), { name: 'x', finishedOn: 'never', data: '[' });
  }
  const { body } = await admin(api, 'overview');
  expect((body as { failures: { emissionId: string }[] }).failures.map((one) => one.emissionId)).toEqual([
    emissionId,
  ]);
  const repaired = await admin(api, 'retry-failed', { since: '1h', limit: 1 });
  expect(repaired.body).toMatchObject({ repaired: 1, leftOut: 60 });
});

test('a job whose failure lies in the future, since a worker’s clock is ahead, is retried', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const emissionId = await failed(api);
  await world.redis.zadd(world.queue.toKey('failed'), Date.now() + HOUR_MS, emissionId);
  const { body } = await admin(api, 'retry-failed', { since: '1h', dryRun: true });
  expect(body).toMatchObject({ matched: 1, repaired: 1 });
});
