import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Types } from 'mongoose';
import request from 'supertest';
import type { AppointmentList } from '@appointment-emissions/contracts';
import { createFindWritten } from '../../src/population/find-written.ts';
import { createLoadAppointments } from '../../src/population/load-appointments.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createToSnapshot } from '../../src/population/to-snapshot.ts';
import { createWorld, type World } from '../harness/world.ts';
import { anyFields, READ_ONLY_VALUES, STORED_VALUES } from '../harness/stored-values.ts';

let world: World;
let api: { url: string };
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  api = await world.ready(world.api());
  world.worker();
});
afterAll(() => world.close());

const APPOINTMENT_FIELDS =
  'companyId customerId petId serviceId serviceItemId staffId locationId start end status source notes createdAt updatedAt'.split(
    ' ',
  );

async function listOf(companyId: string): Promise<AppointmentList> {
  const { body } = await request(api.url)
    .get('/api/v1/dashboard/appointments')
    .set('authorization', `Bearer ${await world.token(companyId)}`)
    .expect(200);
  return body as AppointmentList;
}

const ID = /^[0-9a-f]{24}$/;
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A snapshot holds strings, numbers and `null` only, ids and dates in their form. */
function expectValid(value: unknown, field = ''): void {
  if (value === null) return;
  if (typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) expectValid(inner, name);
    return;
  }
  if (field === '_id' || field === 'locationId') expect(value).toMatch(ID);
  else if (field === 'companyId') expect(value).toMatch(/^([0-9a-f]{24})?$/);
  else if (field === 'price') expect(value).toEqual(expect.any(Number));
  else if (['start', 'end', 'createdAt', 'updatedAt'].includes(field)) expect(value).toMatch(DATE);
  else expect([field, typeof value]).toEqual([field, 'string']);
}

test('the snapshot is valid, whatever an appointment and its references contain', async () => {
  const { models } = world.documents;
  const load = createLoadAppointments(world.models);
  const company = await world.documents.company();
  const others = ['companyId', 'fullName', 'email', 'name', 'size', 'price', 'role'];
  await fc.assert(
    fc.asyncProperty(anyFields(APPOINTMENT_FIELDS), anyFields(others), async (fields, referred) => {
      const insert = async (collection: string) => {
        const document = { companyId: company.customer.companyId, ...referred };
        return (await models.Appointment.db.collection(collection).insertOne(document)).insertedId;
      };
      const references = {
        customerId: await insert('customers'),
        serviceItemId: await insert('serviceitems'),
        staffId: await insert('staff'),
      };
      const id = await company.appointment({ ...references, ...fields });
      const snapshot = (await load([id])).get(id);
      expect(snapshot?._id).toBe(id);
      expectValid(snapshot);
      expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    }),
    { numRuns: 60 },
  );
});

test.each(READ_ONLY_VALUES)('%s in any field becomes null', (_, value) => {
  const names = [...APPOINTMENT_FIELDS, 'price', 'fullName', 'name', 'size'];
  const document = { _id: new Types.ObjectId(), ...Object.fromEntries(names.map((name) => [name, value])) };
  const references = DEFAULT_MODEL.references.map(() => document);
  const snapshot = createToSnapshot(DEFAULT_MODEL)(document, references);
  expectValid(snapshot);
  expect(snapshot).toMatchObject({
    start: null,
    updatedAt: null,
    notes: null,
    serviceItemId: { price: null },
  });
});

test.each([
  ['an ObjectId', new Types.ObjectId('651234567890123456789012')],
  ['bytes', Buffer.from('12')],
  ['a regular expression', /12/],
])('%s is not a price, although its text is a number', async (_, price) => {
  const company = await world.documents.company();
  const { ServiceItem } = world.documents.models;
  await ServiceItem.collection.updateOne({ _id: company.serviceItem._id }, { $set: { price } });
  const id = await company.appointment();
  const load = createLoadAppointments(world.models);
  expect((await load([id])).get(id)?.serviceItemId).toMatchObject({ price: null });
});

test('an appointment with any value in any field is emitted and listed, with null for values that cannot be read', async () => {
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const ids: string[] = [];
  for (const [, value] of STORED_VALUES) {
    const fields = APPOINTMENT_FIELDS.filter((name) => name !== 'companyId' && name !== 'start');
    ids.push(await company.appointment(Object.fromEntries(fields.map((name) => [name, value]))));
  }
  for (const id of ids) {
    const emissionId = await world.emit(api, 'appointment-updated', id);
    const { payload } = await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
    expectValid(payload.appointment);
  }
  const { appointments } = await listOf(company.companyId);
  expect(appointments.map(({ appointment }) => appointment._id).sort()).toEqual(ids.sort());
});

describe('a company stored as text', () => {
  test.each([
    ['in lower case', (id: string) => id],
    ['in upper case', (id: string) => id.toUpperCase()],
  ])('%s is that company for the emission, the list and the repair', async (_, form) => {
    const company = await world.documents.company();
    const dashboard = await world.dashboard(api, company.companyId);
    const id = await company.appointment({ companyId: form(company.companyId) });
    const emissionId = await world.emit(api, 'appointment-updated', id);
    const { payload } = await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
    expect(payload.appointment).toMatchObject({ companyId: company.companyId, petId: { name: 'Rex' } });
    const { appointments } = await listOf(company.companyId);
    expect(appointments.map(({ appointment }) => appointment._id)).toEqual([id]);
    const findWritten = createFindWritten(world.models);
    const { rows, matched } = await findWritten({ companyId: company.companyId }, 0, 10);
    expect([rows.map(({ appointmentId }) => appointmentId), matched]).toEqual([[id], 1]);
  });

  test('in mixed case, or in a list, is not a company: the emission is refused, and the list does not contain the appointment', async () => {
    const company = await world.documents.company('abcdefabcdefabcdefabcdef');
    const own = new Types.ObjectId(company.companyId);
    for (const companyId of ['ABCDEFabcdefabcdefabcdef', [own], 7, null]) {
      const id = await company.appointment({ companyId });
      expect((await world.post(api, 'appointment-updated', { appointmentId: id })).status).toBe(404);
    }
    expect((await listOf(company.companyId)).appointments).toEqual([]);
  });

  test.each([
    ['in mixed case', 'ABCDEFabcdefabcdefabcdef'],
    ['in a list', [new Types.ObjectId()]],
    ['as a number', 7],
  ])('of a customer %s: the customer may be another company’s and is not sent', async (_, companyId) => {
    const company = await world.documents.company();
    const { Customer } = world.documents.models;
    await Customer.collection.updateOne({ _id: company.customer._id }, { $set: { companyId } });
    const id = await company.appointment();
    const load = createLoadAppointments(world.models);
    expect((await load([id])).get(id)).toMatchObject({ customerId: null, petId: { name: 'Rex' } });
  });
});
