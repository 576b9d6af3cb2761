import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createByCall, createIndexes, RUN_DB_INDEXES, warnOfIndexes } from '../../src/population/indexes.ts';
import { createWorld, type World } from '../harness/world.ts';

const LIST = { companyId: 1, start: 1 } as const;
const SWEEP = { updatedAt: 1, _id: 1 } as const;

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const keys = async () => (await world.models.appointments().indexes()).map(({ key }) => key as unknown);

test('the indexes are created with the collection if it does not exist, and only once', async () => {
  await world.models.connection.db!.dropCollection('appointments').catch(() => undefined);
  expect(await warnOfIndexes(world.models, RUN_DB_INDEXES)).toEqual([LIST, SWEEP].map(warning));
  await createIndexes(world.models);
  await createIndexes(world.models);
  expect(await keys()).toEqual([{ _id: 1 }, LIST, SWEEP]);
  expect(await warnOfIndexes(world.models, RUN_DB_INDEXES)).toEqual([]);
});

test('an index on the same key with another name and other options is kept, and the missing one is created', async () => {
  await world.models.appointments().createIndexes([{ key: LIST, name: 'by_day', unique: true }]);
  expect(await warnOfIndexes(world.models, RUN_DB_INDEXES)).toEqual([warning(SWEEP)]);
  await createIndexes(world.models);
  expect(await world.models.appointments().indexes()).toEqual([
    expect.objectContaining({ key: { _id: 1 } }),
    expect.objectContaining({ key: LIST, name: 'by_day', unique: true }),
    expect.objectContaining({ key: SWEEP }),
  ]);
});

test('an index that queries cannot use is reported', async () => {
  const unusable = { key: SWEEP, name: 'open', partialFilterExpression: { status: 'open' } };
  await world.models.appointments().createIndexes([unusable]);
  const warnings = [
    `appointments has an index on ${JSON.stringify(SWEEP)} that queries cannot use, because of partialFilterExpression: create one without`,
  ];
  expect(await createIndexes(world.models)).toEqual(warnings);
  expect(await world.models.appointments().indexes()).toHaveLength(3);
  expect(await warnOfIndexes(world.models, RUN_DB_INDEXES)).toEqual(warnings);
});

test('the warning for an embedding application contains a call that creates the index', async () => {
  const [list, sweep] = await warnOfIndexes(world.models, createByCall);
  expect([list, sweep]).toEqual([
    `appointments has no index on {"companyId":1,"start":1}: call connection.collection('appointments').createIndex({"companyId":1,"start":1}), or add the index to the schema`,
    expect.stringContaining(`createIndex({"updatedAt":1,"_id":1})`),
  ]);
});

function warning(key: object): string {
  return `appointments has no index on ${JSON.stringify(key)}: run npm run db:indexes`;
}
