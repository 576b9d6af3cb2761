import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import { createFindCompanies } from '../../src/population/find-companies.ts';
import { createFindInRange } from '../../src/population/find-in-range.ts';
import { createLoadAppointments, type LoadAppointments } from '../../src/population/load-appointments.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
let load: LoadAppointments;
beforeAll(async () => {
  world = await createWorld();
  load = createLoadAppointments(world.documents.models);
});
afterAll(() => world.close());

const one = async (id: string) => (await load([id])).get(id);

test('a reference that is missing, or whose document is gone, is null', async () => {
  const company = await world.documents.company();
  const id = await company.appointment({
    customerId: undefined,
    petId: new Types.ObjectId(),
    serviceId: null,
    locationId: undefined,
  });
  expect(await one(id)).toMatchObject({
    customerId: null,
    petId: null,
    serviceId: null,
    locationId: null,
    staffId: { fullName: 'Maya Brandt' },
  });
});

test('a reference into another company is null: its data is never sent', async () => {
  const [own, other] = await Promise.all([world.documents.company(), world.documents.company()]);
  const id = await own.appointment({ customerId: other.customer._id, petId: other.pet._id });
  expect(await one(id)).toMatchObject({ customerId: null, petId: null, serviceId: { name: 'Full groom' } });
});

test.each([
  ['a string in place of a date', { start: 'tomorrow' }, { start: null }],
  ['a number in place of a date', { end: 1_700_000_000_000 }, { end: null }],
  ['a number in place of words', { status: 1 }, { status: null }],
  ['an object in place of words', { notes: { $where: 'x' } }, { notes: null }],
  ['a list in place of a reference', { staffId: [] }, { staffId: null }],
  ['words in place of a reference', { petId: 'Rex' }, { petId: null }],
  [
    'an id written in hex',
    { locationId: 'ABCDEFABCDEFABCDEFABCDEF' },
    { locationId: 'abcdefabcdefabcdefabcdef' },
  ],
])('%s is not passed on', async (_, stored, sent) => {
  const company = await world.documents.company();
  expect(await one(await company.appointment(stored))).toMatchObject(sent);
});

test.each([
  ['a double', 55.5, 55.5],
  ['a Decimal128', Types.Decimal128.fromString('79.90'), 79.9],
  ['words', '79.90', null],
  ['no number', Number.NaN, null],
])('a price that is %s', async (_, stored, sent) => {
  const company = await world.documents.company();
  await world.documents.models.ServiceItem.collection.updateOne(
    { _id: company.serviceItem._id },
    { $set: { price: stored } },
  );
  expect((await one(await company.appointment()))?.serviceItemId?.price).toBe(sent);
});

test('nothing is sent that the payload does not name', async () => {
  const company = await world.documents.company();
  const { Customer, Staff } = world.documents.models;
  await Customer.collection.updateOne({ _id: company.customer._id }, { $set: { iban: 'DE00' } });
  await Staff.collection.updateOne({ _id: company.staff._id }, { $set: { passwordHash: 'x' } });
  const snapshot = await one(await company.appointment({ internalRemark: 'y' }));
  expect(Object.keys(snapshot!).sort()).toEqual(
    '_id companyId createdAt customerId end locationId notes petId serviceId serviceItemId source staffId start status updatedAt'.split(
      ' ',
    ),
  );
  expect(Object.keys(snapshot!.customerId!)).toEqual(['_id', 'fullName', 'email', 'phone']);
  expect(Object.keys(snapshot!.staffId!)).toEqual(['_id', 'fullName', 'role']);
});

test('one query for the appointments and one for each collection that they refer to, however many there are', async () => {
  const company = await world.documents.company();
  const ids = await Promise.all(Array.from({ length: 30 }, () => company.appointment()));
  const asked: string[] = [];
  const listen = ({ collectionName }: { collectionName: string }) => void asked.push(collectionName);
  const { db } = world.documents.models.Appointment;
  db.on('operation-start', listen);
  expect((await load([...ids, ...ids])).size).toBe(30);
  db.off('operation-start', listen);
  expect(asked.sort()).toEqual(['appointments', 'customers', 'pets', 'serviceitems', 'services', 'staff']);
});

test('ids without a document are missing', async () => {
  const company = await world.documents.company();
  const [here, gone] = [await company.appointment(), new Types.ObjectId().toHexString()];
  expect([...(await load([here, gone])).keys()]).toEqual([here]);
  const find = createFindCompanies(world.documents.models);
  expect(await find([gone, here, here])).toEqual([undefined, company.companyId, company.companyId]);
});

test('the range holds its start and not its end, in order, of one company, up to the limit', async () => {
  const [own, other] = await Promise.all([world.documents.company(), world.documents.company()]);
  const at = (minutes: number) => ({ start: new Date(Date.UTC(2026, 0, 5, 9, minutes)) });
  const [late, early] = [await own.appointment(at(30)), await own.appointment(at(0))];
  await own.appointment(at(60));
  await other.appointment(at(10));
  const findInRange = createFindInRange(world.documents.models);
  const range = { companyId: own.companyId, from: at(0).start.getTime(), to: at(60).start.getTime() };
  expect(await findInRange(range, 10)).toEqual([early, late]);
  expect(await findInRange(range, 1)).toEqual([early]);
});
