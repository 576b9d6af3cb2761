import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnection, Types } from 'mongoose';
import { connectMongo } from '../../src/population/connect.ts';
import { byIds, readCommand } from '../../src/population/read-command.ts';
import { isUnavailable } from '../../src/process/unavailable.ts';
import { startTcpProxy, throughProxy } from '../harness/tcp-proxy.ts';
import { createWorld, type World } from '../harness/world.ts';

const MEGABYTE = 1_000_000;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

test('a result that is larger than a reply of MongoDB is read completely', async () => {
  const { Pet } = world.documents.models;
  const ids = new Set<string>();
  for (let n = 0; n < 12; n += 1) {
    const { insertedId } = await Pet.collection.insertOne({ name: 'x'.repeat(2 * MEGABYTE) });
    ids.add(insertedId.toHexString());
  }
  const idsOf = (documents: { _id?: unknown }[]) => new Set(documents.map(({ _id }) => String(_id)));
  expect(
    idsOf(
      await readCommand(world.models.connection, 'pets', {
        filter: byIds(world.models.ObjectId, ids),
        projection: { name: 1 },
      }),
    ),
  ).toEqual(ids);
  expect(
    idsOf(
      await readCommand(world.models.connection, 'pets', {
        pipeline: [{ $match: byIds(world.models.ObjectId, ids) }],
      }),
    ),
  ).toEqual(ids);
});

test('a read whose connection is lost is repeated once, and not twice', async () => {
  let cuts = 0;
  const uri = world.env.MONGODB_URI!;
  const proxy = await startTcpProxy(Number(new URL(uri).port), () => (bytes) => {
    if (cuts === 0 || !bytes.includes('appointments')) return;
    cuts -= 1;
    proxy.cut();
  });
  const mongo = connectMongo(throughProxy(uri, proxy.port), {
    serverSelectionMs: 5_000,
    onError: () => undefined,
  });
  try {
    await mongo.connected;
    const company = await world.documents.company();
    const id = await company.appointment();
    const read = () =>
      readCommand(mongo.connection, 'appointments', {
        filter: byIds(Types.ObjectId, new Set([id])),
        projection: { companyId: 1 },
      });

    cuts = 1;
    expect(await read()).toEqual([
      { _id: new Types.ObjectId(id), companyId: new Types.ObjectId(company.companyId) },
    ]);
    expect(cuts).toBe(0);

    cuts = 2;
    expect(await read().catch(isUnavailable)).toBe(true);
    expect(cuts).toBe(0);
  } finally {
    await mongo.close();
    await proxy.close();
  }
});

test('before the first connection a read fails at once, as if the server were unavailable', async () => {
  const connection = createConnection();
  await expect(readCommand(connection, 'appointments', { pipeline: [] })).rejects.toMatchObject({
    name: 'MongoNotConnectedError',
  });
  await connection.close();
});
