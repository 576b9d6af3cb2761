import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import type { AppointmentList, PositionUpdate } from '@appointment-emissions/contracts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import type { Company } from '../harness/documents.ts';
import { createWorld, type World } from '../harness/world.ts';

const DELETED = 'appointment:deleted';

let world: World;
let api: RunningApi;
let company: Company;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  api = await world.api();
  world.worker();
});
beforeEach(async () => {
  company = await world.documents.company();
});
afterAll(() => world.close());

const removeDocument = (appointmentId: string) =>
  world.documents.models.Appointment.collection.deleteOne({ _id: new Types.ObjectId(appointmentId) });

/** Resolves when the deletion is published. */
async function emitDeleted(appointmentId: string, { companyId } = company): Promise<string> {
  const answer = await world.post(api, 'appointment-deleted', { appointmentId, companyId });
  const { emissionId } = (await answer.json()) as { emissionId: string };
  await world.jobIn(emissionId, 'completed');
  return emissionId;
}

/** Resolves when the emission is published. */
async function emit(appointmentId: string, slug = 'appointment-updated'): Promise<string> {
  const emissionId = await world.emit(api, slug, appointmentId);
  await world.jobIn(emissionId, 'completed');
  return emissionId;
}

const open = (position?: { epoch: string; offset: number }) =>
  world.dashboard(api, company.companyId, position && { position });
const summary = ({ received }: Dashboard) =>
  received.map(({ event, payload, meta }) => [event, payload.appointment._id, meta.offset, meta.event]);

test('a deletion reaches the dashboards of its company alone, with ids only and the next offset', async () => {
  const other = await world.documents.company();
  const [dashboard, stranger] = [await open(), await world.dashboard(api, other.companyId)];
  const appointmentId = await company.appointment();
  await emit(appointmentId, 'appointment-created');
  await removeDocument(appointmentId);
  const emissionId = await emitDeleted(appointmentId);

  const received = await dashboard.receive(({ event }) => event === DELETED);
  expect(received.payload).toEqual({ appointment: { _id: appointmentId, companyId: company.companyId } });
  expect(received.meta).toMatchObject({ emissionId, event: DELETED, offset: 2, read: 0, replayed: false });
  expect(stranger.received).toEqual([]);
});

test('a deletion of an appointment that still exists arrives as an update', async () => {
  const dashboard = await open();
  const appointmentId = await company.appointment();
  const emissionId = await emitDeleted(appointmentId);
  const received = await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  expect(received).toMatchObject({
    event: 'appointment:updated',
    payload: { appointment: { customerId: { fullName: 'Ann Bauer' } } },
    meta: { event: 'appointment:updated' },
  });
});

test.each(['appointment-created', 'appointment-updated', 'appointment-canceled'])(
  '%s of an appointment that is deleted before a worker reads it arrives as a deletion, and does not fail',
  async (slug) => {
    const dashboard = await open();
    const appointmentId = await company.appointment();
    await world.jobs.pause();
    const emissionId = await world.emit(api, slug, appointmentId);
    await removeDocument(appointmentId);
    await world.jobs.resume();
    await world.jobIn(emissionId, 'completed');
    await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
    expect(summary(dashboard)).toEqual([[DELETED, appointmentId, 1, DELETED]]);
  },
);

test('a replay sends a deletion for each missed emission of an appointment that is gone, without a reload', async () => {
  const { epoch } = (await open()).positions[0]!;
  const [gone, kept] = [await company.appointment(), await company.appointment()];
  await emit(gone, 'appointment-created');
  await emit(kept);
  await removeDocument(gone);
  const dashboard = await open({ epoch, offset: 0 });
  expect(summary(dashboard)).toEqual([
    [DELETED, gone, 2, DELETED],
    ['appointment:updated', kept, 2, 'appointment:updated'],
  ]);
  expect(dashboard.received[0]!.payload).toEqual({
    appointment: { _id: gone, companyId: company.companyId },
  });
  expect(dashboard.received[0]!.meta.read).toBeGreaterThan(0);
  expect(dashboard.positions[0]).toEqual({ epoch, offset: 2, recovered: true });

  await emitDeleted(gone);
  const answer = (await dashboard.socket
    .timeout(10_000)
    .emitWithAck('emissions:catch-up', { epoch, offset: 2 })) as PositionUpdate;
  expect(answer).toEqual({ epoch, offset: 3, recovered: true });
});

test('a replay sends an update for a logged deletion whose appointment exists again', async () => {
  const { epoch } = (await open()).positions[0]!;
  const appointmentId = await company.appointment();
  const document = await world.documents.models.Appointment.collection.findOne({
    _id: new Types.ObjectId(appointmentId),
  });
  await removeDocument(appointmentId);
  await emitDeleted(appointmentId);
  await world.documents.models.Appointment.collection.insertOne(document!);
  const dashboard = await open({ epoch, offset: 0 });
  expect(summary(dashboard)).toEqual([['appointment:updated', appointmentId, 1, 'appointment:updated']]);
  expect(dashboard.positions[0]).toMatchObject({ recovered: true });
});

test('the list does not contain a deleted appointment, and its position is after the deletion', async () => {
  const [gone, kept] = [await company.appointment(), await company.appointment()];
  await emit(gone);
  await removeDocument(gone);
  await emitDeleted(gone);
  const headers = { authorization: `Bearer ${await world.token(company.companyId)}` };
  const answer = await fetch(`${api.url}/api/v1/dashboard/appointments`, { headers });
  const list = (await answer.json()) as AppointmentList;
  expect(list.appointments.map(({ appointment }) => appointment._id)).toEqual([kept]);
  expect(list.offset).toBe(2);
});

test('a deletion that names another company fails if the appointment appears in its own meanwhile; nothing is sent', async () => {
  const appointmentId = await company.appointment();
  const document = await world.documents.models.Appointment.collection.findOne({
    _id: new Types.ObjectId(appointmentId),
  });
  const other = await world.documents.company();
  const [own, stranger] = [await open(), await world.dashboard(api, other.companyId)];
  await removeDocument(appointmentId);
  await world.jobs.pause();
  const answer = await world.post(api, 'appointment-deleted', {
    appointmentId,
    companyId: other.companyId,
  });
  const { emissionId } = (await answer.json()) as { emissionId: string };
  await world.documents.models.Appointment.collection.insertOne(document!);
  await world.jobs.resume();
  const job = await world.jobIn(emissionId, 'failed');
  expect(job.failedReason).toMatch(/^COMPANY_MISMATCH: /);
  expect([own.received, stranger.received]).toEqual([[], []]);
});
