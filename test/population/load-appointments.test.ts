import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Connection, createConnection, Types } from 'mongoose';
import { packReferences } from '../../src/domain/references.ts';
import { createFindCompanies } from '../../src/population/find-companies.ts';
import { createFindInRange } from '../../src/population/find-in-range.ts';
import { createLoadAppointments, type LoadAppointments } from '../../src/population/load-appointments.ts';
import { createModels } from '../../src/population/models.ts';
import { type MongoTap, startMongoTap } from '../harness/mongo-tap.ts';
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

describe('what MongoDB is asked, however many there are', () => {
  let tap: MongoTap;
  let connection: Connection;
  let loadTapped: LoadAppointments;
  beforeAll(async () => {
    tap = await startMongoTap(world.env.MONGODB_URI!);
    connection = await createConnection(tap.uri).asPromise();
    loadTapped = createLoadAppointments(createModels(connection));
  });
  beforeEach(() => void (tap.finds.length = 0));
  afterAll(async () => {
    await connection.close();
    await tap.close();
  });
  const asked = () => tap.finds.map(({ collection }) => collection);

  test('one question for the appointments and one for all that they refer to', async () => {
    const company = await world.documents.company();
    const ids = await Promise.all(Array.from({ length: 30 }, () => company.appointment()));
    expect((await loadTapped([...ids, ...ids])).size).toBe(30);
    expect(asked()).toEqual(['appointments', 'customers']);
  });

  test('one for both where it was guessed what they refer to', async () => {
    const company = await world.documents.company();
    const id = await company.appointment();
    const snapshot = (await one(id))!;
    expect((await loadTapped([id], [packReferences(snapshot)])).get(id)).toEqual(snapshot);
    expect(asked()).toEqual(['appointments']);
  });

  test('what was guessed wrongly is not shown, and what was not guessed is read', async () => {
    const [company, other] = await Promise.all([world.documents.company(), world.documents.company()]);
    const [id, others] = [await company.appointment(), await other.appointment()];
    const [right, wrong] = [(await one(id))!, (await one(others))!];
    expect((await loadTapped([id], [packReferences(wrong)])).get(id)).toEqual(right);
    expect(asked()).toEqual(['appointments', 'customers']);
    expect(
      (await loadTapped([id], ['', 'no id at all', packReferences({ ...right, petId: null })])).get(id),
    ).toEqual(right);
    expect(asked().slice(2)).toEqual(['appointments', 'pets']);
  });
});

test('more documents than MongoDB gives at once are read all the same', async () => {
  const company = await world.documents.company();
  const { Pet } = world.documents.models;
  const ids = await Promise.all(
    Array.from({ length: 150 }, async (_, index) => {
      const { insertedId } = await Pet.collection.insertOne({
        companyId: company.pet.companyId,
        name: `Rex ${index}`,
      });
      return company.appointment({ petId: insertedId });
    }),
  );
  const snapshots = await load(ids);
  expect(ids.map((id) => snapshots.get(id)?.petId?.name)).toEqual(ids.map((_, index) => `Rex ${index}`));
});

test('two collections that use one id are told apart, and one of no references asks for none', async () => {
  const company = await world.documents.company();
  const { Pet, Staff } = world.documents.models;
  const { insertedId } = await Pet.collection.insertOne({ companyId: company.pet.companyId, name: 'Rex' });
  await Staff.collection.insertOne({
    _id: insertedId,
    companyId: company.pet.companyId,
    fullName: 'Rex Meier',
  });
  const same = await company.appointment({ petId: insertedId, staffId: insertedId });
  expect(await one(same)).toMatchObject({ petId: { name: 'Rex' }, staffId: { fullName: 'Rex Meier' } });

  const none = { customerId: null, petId: null, serviceId: null, serviceItemId: null, staffId: null };
  expect(await one(await company.appointment(none))).toMatchObject(none);
});

test('ids without a document are missing', async () => {
  const company = await world.documents.company();
  const [here, gone] = [await company.appointment(), new Types.ObjectId().toHexString()];
  expect([...(await load([here, gone])).keys()]).toEqual([here]);
  const find = createFindCompanies(world.documents.models);
  expect(await find([gone, here, here])).toEqual([undefined, company.companyId, company.companyId]);
});

test('many ids are found as few are: of several companies, in the order asked, in capitals, gone or with no company', async () => {
  const find = createFindCompanies(world.documents.models);
  const companies = await Promise.all([world.documents.company(), world.documents.company()]);
  const placed = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const { companyId, appointment } = companies[i % 2]!;
      return { companyId, id: await appointment() };
    }),
  );
  const { appointment } = companies[0];
  const nobodys = await appointment({ companyId: undefined });
  const gone = new Types.ObjectId().toHexString();
  for (const some of [placed.slice(0, 4), placed]) {
    const asked = [gone, ...some.map(({ id }) => id.toUpperCase()), nobodys, some[0]!.id];
    const owners = some.map(({ companyId }) => companyId);
    expect(await find(asked)).toEqual([undefined, ...owners, undefined, owners[0]]);
  }
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
