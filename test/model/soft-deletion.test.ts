import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import type { AppointmentList } from '@appointment-emissions/contracts';
import type { RunningApi } from '../../src/api/start-api.ts';
import { DEFAULT_DESCRIPTION } from '../../src/model/default-model.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import type { Company } from '../harness/documents.ts';
import { createWorld, type World } from '../harness/world.ts';
import { writeModel } from './write-model.ts';

const DELETED = 'appointment:deleted';
const SWEEP_OFTEN = { RECONCILE_INTERVAL_MS: '100' };
/** Longer than the grace in which the sweep leaves a write to the bot. */
const MISSED_MS = 6_000;

let world: World;
let api: RunningApi;
let company: Company;
let dashboard: Dashboard;
beforeAll(async () => {
  const modelFile = writeModel({ ...DEFAULT_DESCRIPTION, deletedField: 'deletedAt' });
  world = await createWorld({ env: { EMISSIONS_MODEL: modelFile, RECONCILE_INTERVAL_MS: '0' } });
  api = await world.api();
  world.worker();
});
beforeEach(async () => {
  company = await world.documents.company();
  dashboard = await world.dashboard(api, company.companyId);
});
afterAll(() => world.close());

const write = (appointmentId: string, fields: object) =>
  world.models.appointments().updateOne({ _id: new Types.ObjectId(appointmentId) }, { $set: fields });
const received = (appointmentId: string) =>
  dashboard.received
    .filter(({ payload }) => payload.appointment._id === appointmentId)
    .map(({ event }) => event);

async function emit(slug: string, appointmentId: string): Promise<void> {
  await world.jobIn(await world.emit(api, slug, appointmentId), 'completed');
}

async function listed(): Promise<string[]> {
  const headers = { authorization: `Bearer ${await world.token(company.companyId)}` };
  const answer = await fetch(`${api.url}/api/v1/dashboard/appointments`, { headers });
  const { appointments } = (await answer.json()) as AppointmentList;
  return appointments.map(({ appointment }) => appointment._id);
}

/** Resolves when the sweep has emitted a later write, so it has seen all earlier ones. */
async function sweep(): Promise<void> {
  const at = new Date(Date.now() - MISSED_MS);
  const later = await company.appointment({ createdAt: at, updatedAt: at });
  await dashboard.receive(({ payload }) => payload.appointment._id === later);
}

test('a soft deletion that the bot announces reaches the dashboards, the list leaves it out, and the sweep emits nothing', async () => {
  const [gone, kept] = [await company.appointment(), await company.appointment()];
  await emit('appointment-created', gone);
  const now = new Date(Date.now() - MISSED_MS);
  await write(gone, { deletedAt: now, updatedAt: now });
  await emit('appointment-updated', gone);
  const { payload } = await dashboard.receive(({ event }) => event === DELETED);
  expect(payload).toEqual({ appointment: { _id: gone, companyId: company.companyId } });
  expect(await listed()).toEqual([kept]);

  world.worker(SWEEP_OFTEN);
  await sweep();
  expect(received(gone)).toEqual(['appointment:created', DELETED]);
});

test('the sweep emits a soft deletion that was not announced once, also if the document is written again', async () => {
  const appointmentId = await company.appointment();
  await emit('appointment-created', appointmentId);
  const at = new Date(Date.now() - MISSED_MS);
  await write(appointmentId, { deletedAt: at, updatedAt: at });
  world.worker(SWEEP_OFTEN);
  await dashboard.receive(({ event }) => event === DELETED);
  await sweep();
  await write(appointmentId, { notes: 'archived', updatedAt: new Date(Date.now() - MISSED_MS) });
  await sweep();
  expect(received(appointmentId)).toEqual(['appointment:created', DELETED]);

  await write(appointmentId, { deletedAt: null, updatedAt: new Date(Date.now() - MISSED_MS) });
  await dashboard.receive(
    ({ event, payload }) =>
      event !== DELETED &&
      payload.appointment._id === appointmentId &&
      'notes' in payload.appointment &&
      payload.appointment.notes === 'archived',
  );
  expect(await listed()).toContain(appointmentId);
});
