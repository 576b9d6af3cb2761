import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import request from 'supertest';
import { createRealtimeAppointments } from '@appointment-emissions/bot';
import type { AppointmentList } from '@appointment-emissions/contracts';
import { SOURCE_ARGS } from '../../scripts/source-args.mjs';
import type { SnapshotOf } from '../../src/model/description.ts';
import { childEnv } from '../harness/child-env.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import { freshDir } from '../harness/own-services.ts';
import type { Spawned } from '../harness/processes.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { model, STATUSES } from './backend-model.ts';
import { writeModel } from './write-model.ts';

type BackendSnapshot = SnapshotOf<typeof model>;

/** Longer than the grace in which the sweep leaves a write to the bot. */
const MISSED_MS = 6_000;

const id = () => new Types.ObjectId();
const companyId = id();
const contact = { _id: id(), companyId, fullName: 'Ann Bauer', email: 'ann@example.org', phone: '+49 1' };
const pet = {
  _id: id(),
  companyId,
  name: 'Rex',
  species: 'dog',
  breed: 'Poodle',
  size: 'small',
  coatType: 'curly',
};
const category = { _id: id(), companyId, name: 'Full groom' };
const item = {
  _id: id(),
  companyId,
  size: 'small',
  coatType: 'curly',
  price: Types.Decimal128.fromString('55.50'),
};
const user = { _id: id(), companyId, fullName: 'Maya Brandt', role: 'groomer', passwordHash: 'x' };

let world: World;
let api: Spawned;
let dashboard: Dashboard;
beforeAll(async () => {
  const modelFile = writeModel(model);
  world = await createWorld({ env: { EMISSIONS_MODEL: modelFile, RECONCILE_INTERVAL_MS: '200' } });
  const insert = (collection: string, document: object) =>
    world.models.connection.collection(collection).insertOne(document);
  await Promise.all([
    insert('contacts', contact),
    insert('pets', pet),
    insert('servicecategories', category),
    insert('serviceitems', item),
    insert('users', user),
  ]);
  const command = [...SOURCE_ARGS, 'src/cli/db-indexes.ts'];
  await promisify(execFile)(process.execPath, command, { env: childEnv(world.env) });
  [api] = await Promise.all([world.apiProcess(), world.workerProcess()]);
  dashboard = await world.dashboard(api, companyId.toHexString());
});
afterAll(() => world.close());

async function insertAppointment(fields: Record<string, unknown> = {}): Promise<string> {
  const now = new Date();
  const appointment = {
    _id: id(),
    companyId,
    customerId: contact._id,
    petId: pet._id,
    serviceId: category._id,
    serviceItemId: item._id,
    staffId: user._id,
    locationId: id(),
    start: now,
    end: new Date(now.getTime() + 3_600_000),
    status: 'scheduled',
    source: 'instagram',
    notes: 'first visit',
    internalRemark: 'never sent',
    createdAt: now,
    updatedAt: now,
    ...fields,
  };
  await world.models.appointments().insertOne(appointment);
  return appointment._id.toHexString();
}

/** What the dashboard receives for an appointment. */
async function receive(fits: (appointment: BackendSnapshot) => boolean) {
  const { event, payload } = await dashboard.receive(({ payload }) =>
    fits(payload.appointment as unknown as BackendSnapshot),
  );
  return { event, appointment: payload.appointment as unknown as BackendSnapshot };
}

test('a call of the bot reaches the dashboard with every reference and with the fields of the model only', async () => {
  const bot = createRealtimeAppointments({
    backendUrl: api.url,
    apiKey: API_KEY,
    logDir: freshDir('logs'),
    deadlineMs: 30_000,
    attemptTimeoutMs: 10_000,
  });
  const appointmentId = await insertAppointment();
  expect(await bot.emitAppointmentCreated(appointmentId)).toBe(true);
  const { event, appointment } = await receive(({ _id }) => _id === appointmentId);
  expect(event).toBe('appointment:created');
  const text = expect.any(String);
  expect(appointment).toEqual({
    _id: appointmentId,
    companyId: companyId.toHexString(),
    customerId: {
      _id: contact._id.toHexString(),
      fullName: 'Ann Bauer',
      email: 'ann@example.org',
      phone: '+49 1',
    },
    petId: {
      _id: pet._id.toHexString(),
      name: 'Rex',
      species: 'dog',
      breed: 'Poodle',
      size: 'small',
      coatType: 'curly',
    },
    serviceId: { _id: category._id.toHexString(), name: 'Full groom' },
    serviceItemId: { _id: item._id.toHexString(), size: 'small', coatType: 'curly', price: 55.5 },
    staffId: { _id: user._id.toHexString(), fullName: 'Maya Brandt', role: 'groomer' },
    locationId: text,
    start: text,
    end: text,
    status: 'scheduled',
    source: 'instagram',
    notes: 'first visit',
    canceledAt: null,
    cancellationReason: null,
    createdAt: text,
    updatedAt: text,
  });
});

test('every status is sent and listed as it is stored', async () => {
  const ids = new Map<string, string>();
  for (const status of STATUSES) {
    const appointmentId = await insertAppointment({ status });
    ids.set(appointmentId, status);
    await world.emit(api, 'appointment-updated', appointmentId);
    const { appointment } = await receive(({ _id }) => _id === appointmentId);
    expect(appointment.status).toBe(status);
  }
  const { body } = await request(api.url)
    .get('/api/v1/dashboard/appointments')
    .set('authorization', `Bearer ${await world.token(companyId.toHexString())}`)
    .expect(200);
  const listed = (body as AppointmentList).appointments.map(({ appointment }) => appointment);
  for (const [appointmentId, status] of ids) {
    expect(listed.find(({ _id }) => _id === appointmentId)).toMatchObject({
      status,
      customerId: { fullName: 'Ann Bauer' },
      serviceId: { name: 'Full groom' },
      staffId: { fullName: 'Maya Brandt' },
    });
  }
});

test('the sweep announces a no-show that was not announced as canceled', async () => {
  const appointmentId = await insertAppointment();
  await world.emit(api, 'appointment-created', appointmentId);
  await receive(({ _id }) => _id === appointmentId);
  const canceledAt = new Date(Date.now() - MISSED_MS);
  await world.models
    .appointments()
    .updateOne(
      { _id: new Types.ObjectId(appointmentId) },
      { $set: { status: 'no_show', canceledAt, cancellationReason: 'did not come', updatedAt: canceledAt } },
    );
  const { event, appointment } = await receive(
    ({ _id, status }) => _id === appointmentId && status === 'no_show',
  );
  expect(event).toBe('appointment:canceled');
  expect(appointment).toMatchObject({
    canceledAt: canceledAt.toISOString(),
    cancellationReason: 'did not come',
    serviceId: { name: 'Full groom' },
  });
});

test('the documents of the API describe the snapshots of the model', async () => {
  for (const name of ['openapi', 'asyncapi']) {
    const { body } = await request(api.url).get(`/${name}.json`).expect(200);
    const { properties } = (body as { components: { schemas: Record<string, { properties: object }> } })
      .components.schemas['AppointmentSnapshot']!;
    const { appointment } = dashboard.received[0]!.payload;
    expect(Object.keys(properties)).toEqual(Object.keys(appointment));
    expect(properties).toMatchObject({
      canceledAt: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
      status: { description: expect.stringContaining('Canceled: `canceled`, `no_show`.') },
    });
  }
});

test('with the model /health has no warning; with the default one it names each missing collection', async () => {
  const warningsOf = async (url: string) => {
    const { body } = await request(url).get('/health');
    return (body as { warnings: string[] }).warnings;
  };
  const about = (words: string) => (warning: string) => warning.includes(words);
  await insertAppointment();
  const own = await warningsOf(api.url);
  expect(own.filter(about('never resolves'))).toEqual([]);
  expect(own.filter(about('no index'))).toEqual([]);

  const misled = await world.apiProcess({ EMISSIONS_MODEL: '' });
  await eventually('the warnings', async () => (await warningsOf(misled.url)).some(about('never resolves')));
  expect((await warningsOf(misled.url)).filter(about('never resolves')).sort()).toEqual([
    'customerId never resolves: the collection customers does not exist or is empty; check its name in the model',
    'serviceId never resolves: the collection services does not exist or is empty; check its name in the model',
    'staffId never resolves: the collection staff does not exist or is empty; check its name in the model',
  ]);
  const lines = () =>
    misled
      .output()
      .split('\n')
      .filter(about('reference never resolves'))
      .filter(about('"collection":"customers"'));
  await eventually('a line', () => lines().length > 0);
  expect(lines()).toHaveLength(1);
});

test('a process with a wrong description ends at start and reports every problem', async () => {
  const modelFile = writeModel({ ...model, collection: undefined, fields: ['notes', 'notes'] });
  const starting = world.workerProcess({ EMISSIONS_MODEL: modelFile });
  await expect(starting).rejects.toThrow(/ended \(1\)[^]*collection: is required[^]*fields\[1\]: "notes"/);
});
