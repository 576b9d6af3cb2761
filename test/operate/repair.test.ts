import { afterEach, expect, test } from '@jest/globals';
import type { World } from '../harness/world.ts';
import { admin, quietWorld } from './admin.ts';

let world: World;
afterEach(() => world.close());

/** Emissions that failed permanently, since another company had their appointments; `restore` removes the cause. */
async function failedEmissions(api: { url: string }, howMany: number) {
  const company = await world.documents.company();
  const ids = await Promise.all(Array.from({ length: howMany }, () => company.appointment()));
  const emissionIds = await Promise.all(ids.map((id) => world.emit(api, 'appointment-created', id)));
  const restore = await world.documents.giveAway();
  const worker = world.worker();
  await Promise.all(emissionIds.map((id) => world.jobIn(id, 'failed')));
  return { company, ids, emissionIds, worker, restore };
}

test('retry-failed since T retries the failures of a fault; a dry run only counts them', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const { company, emissionIds, restore } = await failedEmissions(api, 5);
  await restore();
  const dashboard = await world.dashboard(api, company.companyId);

  const dry = await admin(api, 'retry-failed', { since: '1h', dryRun: true });
  expect(dry.body).toMatchObject({ success: true, dryRun: true, matched: 5, repaired: 5 });
  expect(await world.queue.getFailedCount()).toBe(5);

  const some = await admin(api, 'retry-failed', { since: '1h', limit: 2, code: 'COMPANY_MISMATCH' });
  expect(some.body).toMatchObject({ matched: 5, repaired: 2 });
  const rest = await admin(api, 'retry-failed', { since: new Date(Date.now() - 60_000).toISOString() });
  expect(rest.body).toMatchObject({ matched: 3, repaired: 3 });

  for (const id of emissionIds) await dashboard.receive(({ meta }) => meta.emissionId === id);
  expect(await world.queue.getFailedCount()).toBe(0);
});

test('failures before T, or with another code, are not retried', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  await failedEmissions(api, 1);
  const later = new Date(Date.now() + 1_000).toISOString();
  expect((await admin(api, 'retry-failed', { since: later })).body).toMatchObject({ matched: 0 });
  const all = await admin(api, 'retry-failed', { since: '999999d', dryRun: true });
  expect(all.body).toMatchObject({ matched: 1 });
  const other = await admin(api, 'retry-failed', { since: '1h', code: 'SNAPSHOT_TOO_LARGE' });
  expect(other.body).toMatchObject({ matched: 0, repaired: 0 });
});

test('retry runs one failed emission again; its reason is a text', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const { ids, emissionIds, restore } = await failedEmissions(api, 1);
  const { body } = await admin(api, 'overview');
  expect(body.failures).toEqual([
    {
      emissionId: emissionIds[0],
      queue: 'appointment-emissions',
      source: 'call',
      event: 'appointment:created',
      appointmentId: ids[0],
      companyId: expect.stringMatching(/^[0-9a-f]{24}$/),
      reason: `COMPANY_MISMATCH: appointment ${ids[0]} belongs to another company than the emission was accepted for`,
      attempts: 1,
      acceptedAt: expect.stringMatching(/Z$/),
      failedAt: expect.stringMatching(/Z$/),
    },
  ]);

  await restore();
  expect((await admin(api, 'retry', { emissionId: emissionIds[0] })).status).toBe(200);
  await world.jobIn(emissionIds[0]!, 'completed');
  expect(await admin(api, 'retry', { emissionId: emissionIds[0] })).toMatchObject({
    status: 404,
    body: { code: 'EMISSION_NOT_FOUND' },
  });
});

test('a retried emission has the newest state and passes the order check', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const { company, ids, emissionIds, restore } = await failedEmissions(api, 1);
  await restore();
  await company.change(ids[0]!, { notes: 'second visit' });
  const dashboard = await world.dashboard(api, company.companyId);
  const newer = await world.emit(api, 'appointment-updated', ids[0]!);
  await dashboard.receive(({ meta }) => meta.emissionId === newer);

  await admin(api, 'retry', { emissionId: emissionIds[0] });
  const received = await dashboard.receive(({ meta }) => meta.emissionId === emissionIds[0]);
  expect(received.payload.appointment.notes).toBe('second visit');
  expect(received.meta.offset).toBe(2);
});

test('re-emit sends the newest states of a company or an appointment to the dashboards', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const [api] = [await world.api(), world.worker()];
  const company = await world.documents.company();
  const old = new Date(Date.now() - 3 * 3_600_000);
  const unseen = await company.appointment({ createdAt: old, updatedAt: old });
  const created = await company.appointment();
  const canceled = await company.appointment({ createdAt: old, status: 'canceled' });
  const updated = await company.appointment({ createdAt: old });
  const dashboard = await world.dashboard(api, company.companyId);

  const dry = await admin(api, 're-emit', { companyId: company.companyId, since: '1h', dryRun: true });
  expect(dry.body).toMatchObject({ dryRun: true, matched: 3, repaired: 3 });
  await admin(api, 're-emit', { companyId: company.companyId, since: '1h' });
  const events = new Map<string, string>();
  for (const id of [created, canceled, updated]) {
    const { event } = await dashboard.receive(({ payload }) => payload.appointment._id === id);
    events.set(id, event);
  }
  expect(Object.fromEntries(events)).toEqual({
    [created]: 'appointment:created',
    [canceled]: 'appointment:canceled',
    [updated]: 'appointment:updated',
  });

  const one = await admin(api, 're-emit', { appointmentId: unseen, since: '1d' });
  expect(one.body).toMatchObject({ matched: 1, repaired: 1 });
  await dashboard.receive(({ payload }) => payload.appointment._id === unseen);
  expect(dashboard.received).toHaveLength(4);
});
