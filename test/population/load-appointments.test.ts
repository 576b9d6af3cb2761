import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Connection, createConnection, Types } from 'mongoose';
import { DEFAULT_DESCRIPTION, DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { parseModel } from '../../src/model/parse-model.ts';
import { createPackReferences } from '../../src/model/reference-guesses.ts';
import { createFindCompanies } from '../../src/population/find-companies.ts';
import { createFindInRange } from '../../src/population/find-in-range.ts';
import { createLoadAppointments, type LoadAppointments } from '../../src/population/load-appointments.ts';
import { createModels } from '../../src/population/models.ts';
import { type MongoTap, startMongoTap } from '../harness/mongo-tap.ts';
import { createWorld, type World } from '../harness/world.ts';
import { startProxyWithoutUnion } from './rewriting-proxy.ts';

const MODEL_WITH_MARK = parseModel({ ...DEFAULT_DESCRIPTION, deletedField: 'deletedAt' });
const pack = createPackReferences(DEFAULT_MODEL);
const noProxy = (uri: string) => Promise.resolve({ uri, close: () => undefined });

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

describe.each([
  ['by one aggregation', noProxy],
  ['by a find for each collection, on a server without $unionWith', startProxyWithoutUnion],
])('%s', (_, startProxy) => {
  let proxy: { uri: string; close: () => void };
  let connection: Connection;
  let load: LoadAppointments;
  beforeAll(async () => {
    proxy = await startProxy(world.env.MONGODB_URI!);
    connection = await createConnection(proxy.uri).asPromise();
    load = createLoadAppointments(createModels(connection, DEFAULT_MODEL));
  });
  afterAll(async () => {
    await connection.close();
    proxy.close();
  });

  const one = async (id: string) => (await load([id])).get(id);

  test('a reference that is missing, or whose document does not exist, is null', async () => {
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
    ['a number in place of text', { status: 1 }, { status: null }],
    ['an object in place of text', { notes: { $where: 'x' } }, { notes: null }],
    ['a list in place of a reference', { staffId: [] }, { staffId: null }],
    ['text in place of a reference', { petId: 'Rex' }, { petId: null }],
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
    ['text', '79.90', null],
    ['not a number', Number.NaN, null],
  ])('a price that is %s', async (_, stored, sent) => {
    const company = await world.documents.company();
    await world.documents.models.ServiceItem.collection.updateOne(
      { _id: company.serviceItem._id },
      { $set: { price: stored } },
    );
    expect((await one(await company.appointment()))?.serviceItemId?.price).toBe(sent);
  });

  test('only the fields of the model are sent', async () => {
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

  test('more documents than one reply of MongoDB has by default are read', async () => {
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

  test('equal ids in two collections are distinguished, and an appointment without references is read', async () => {
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
  });

  test('a document that is marked as deleted is missing, with any mark but null and false', async () => {
    const company = await world.documents.company();
    const [here, open, gone, flagged] = await Promise.all([
      company.appointment(),
      company.appointment({ deletedAt: null }),
      company.appointment({ deletedAt: new Date() }),
      company.appointment({ deletedAt: true }),
    ]);
    const restored = await company.appointment({ deletedAt: false });
    const loadMarked = createLoadAppointments(createModels(connection, MODEL_WITH_MARK));
    const found = await loadMarked([here, open, gone, flagged, restored]);
    expect([...found.keys()].sort()).toEqual([here, open, restored].sort());
    expect(found.get(here)).toEqual(await one(here));
    expect(await one(gone)).toMatchObject({ _id: gone });
  });

  test('wrong guesses are not shown, and references without a guess are read', async () => {
    const [company, other] = await Promise.all([world.documents.company(), world.documents.company()]);
    const [id, otherId] = [await company.appointment(), await other.appointment()];
    const [right, wrong] = [(await one(id))!, (await one(otherId))!];
    expect(right.petId).toMatchObject({ name: 'Rex' });
    for (const guesses of [
      [pack(right)],
      [pack(wrong)],
      ['', 'no id at all', pack({ ...right, petId: null })],
    ])
      expect((await load([id], guesses)).get(id)).toEqual(right);
  });
});

describe('the number of reads does not depend on the number of appointments', () => {
  let tap: MongoTap;
  let connection: Connection;
  beforeEach(async () => {
    tap = await startMongoTap(world.env.MONGODB_URI!);
    connection = await createConnection(tap.uri).asPromise();
  });
  afterEach(async () => {
    await connection.close();
    await tap.close();
  });
  const requested = () => tap.finds.map(({ collection }) => collection);
  const open = () => createLoadAppointments(createModels(connection, DEFAULT_MODEL));

  test('one read for the appointments and one for all their references', async () => {
    const company = await world.documents.company();
    const ids = await Promise.all(Array.from({ length: 30 }, () => company.appointment()));
    expect((await open()([...ids, ...ids])).size).toBe(30);
    expect(requested()).toEqual(['appointments', 'customers']);
  });

  test('one read for both if the references were guessed', async () => {
    const company = await world.documents.company();
    const id = await company.appointment();
    const load = open();
    const snapshot = (await load([id])).get(id)!;
    expect((await load([id], [pack(snapshot)])).get(id)).toEqual(snapshot);
    expect(requested().slice(2)).toEqual(['appointments']);
  });

  test('a wrong guess costs a second read, of the collections that were guessed wrongly', async () => {
    const [company, other] = await Promise.all([world.documents.company(), world.documents.company()]);
    const [id, otherId] = [await company.appointment(), await other.appointment()];
    const load = open();
    const found = await load([id, otherId]);
    const [right, wrong] = [found.get(id)!, found.get(otherId)!];
    expect((await load([id], [pack(wrong)])).get(id)).toEqual(right);
    expect(requested().slice(2)).toEqual(['appointments', 'customers']);
    const guesses = ['', 'no id at all', pack({ ...right, petId: null })];
    expect((await load([id], guesses)).get(id)).toEqual(right);
    expect(requested().slice(4)).toEqual(['appointments', 'pets']);
  });
});

test('a server without $unionWith is detected once; a lost connection decides nothing', async () => {
  const company = await world.documents.company();
  const id = await company.appointment();
  const withoutUnion = await startProxyWithoutUnion(world.env.MONGODB_URI!);
  const tap = await startMongoTap(withoutUnion.uri);
  const connection = createConnection();
  try {
    const load = createLoadAppointments(createModels(connection, DEFAULT_MODEL));
    await expect(load([id])).rejects.toMatchObject({ name: 'MongoNotConnectedError' });
    await connection.openUri(tap.uri);
    const snapshot = (await load([id])).get(id);
    expect(snapshot).toMatchObject({ petId: { name: 'Rex' }, staffId: { fullName: 'Maya Brandt' } });
    const finds = ['customers', 'pets', 'services', 'serviceitems', 'staff'];
    const first = tap.finds.map(({ command, collection }) => (command.find ? collection : 'aggregation'));
    expect(first.sort()).toEqual(['aggregation', 'aggregation', ...finds].sort());

    tap.finds.length = 0;
    expect((await load([id], [pack(snapshot!)])).get(id)).toEqual(snapshot);
    expect(tap.finds.map(({ command }) => command.find as string).sort()).toEqual(
      ['appointments', ...finds].sort(),
    );
  } finally {
    await connection.close();
    await tap.close();
    withoutUnion.close();
  }
});

test('the existence check finds no company for ids without a document', async () => {
  const company = await world.documents.company();
  const [here, gone] = [await company.appointment(), new Types.ObjectId().toHexString()];
  const find = createFindCompanies(world.models);
  expect(await find([gone, here, here])).toEqual([undefined, company.companyId, company.companyId]);
});

test('the existence check of many ids keeps their order, and handles several companies, capitals, missing documents and missing companies', async () => {
  const find = createFindCompanies(world.models);
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
    const requested = [gone, ...some.map(({ id }) => id.toUpperCase()), nobodys, some[0]!.id];
    const owners = some.map(({ companyId }) => companyId);
    expect(await find(requested)).toEqual([undefined, ...owners, '', owners[0]]);
  }
});

test('the range includes its start and not its end; it is sorted, of one company, and at most as long as the limit', async () => {
  const [own, other] = await Promise.all([world.documents.company(), world.documents.company()]);
  const at = (minutes: number) => ({ start: new Date(Date.UTC(2026, 0, 5, 9, minutes)) });
  const [late, early] = [await own.appointment(at(30)), await own.appointment(at(0))];
  await own.appointment(at(60));
  await other.appointment(at(10));
  const findInRange = createFindInRange(world.models);
  const range = { companyId: own.companyId, from: at(0).start.getTime(), to: at(60).start.getTime() };
  expect(await findInRange(range, 10)).toEqual([early, late]);
  expect(await findInRange(range, 1)).toEqual([early]);
});

test('the range leaves out appointments that are marked as deleted, also if they fill the limit', async () => {
  const { companyId, appointment } = await world.documents.company();
  const at = (minutes: number) => ({ start: new Date(Date.UTC(2026, 0, 5, 9, minutes)) });
  await appointment({ ...at(0), deletedAt: new Date() });
  const kept = [
    await appointment(at(10)),
    await appointment({ ...at(20), deletedAt: null }),
    await appointment({ ...at(30), deletedAt: false }),
  ];
  const range = { companyId, from: at(0).start.getTime(), to: at(60).start.getTime() };
  const findInRange = createFindInRange(createModels(world.models.connection, MODEL_WITH_MARK));
  expect(await findInRange(range, 10)).toEqual(kept);
  expect(await findInRange(range, 1)).toEqual(kept.slice(0, 1));
  expect(await createFindInRange(world.models)(range, 10)).toHaveLength(4);
});
