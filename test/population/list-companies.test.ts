import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createIndexes } from '../../src/population/indexes.ts';
import { createListCompanies, type ListCompanies } from '../../src/population/list-companies.ts';
import { createWorld, type World } from '../harness/world.ts';

const COMPANIES = 1_000;
/** Spread over all first digits, as ids of several years are. */
const companyId = (n: number): string => (n * 79_199).toString(16).padStart(8, '0').padEnd(24, 'ab');

let world: World;
let list: ListCompanies;
beforeAll(async () => {
  world = await createWorld();
  const { ObjectId } = world.models;
  await createIndexes(world.models);
  const documents = Array.from({ length: COMPANIES }, (_, n) => ({
    companyId: new ObjectId(companyId(n)),
    start: new Date(),
  }));
  await world.models.appointments().insertMany(documents);
  list = createListCompanies(world.models);
}, 120_000);
afterAll(() => world.close());

const all = Array.from({ length: COMPANIES }, (_, n) => companyId(n)).sort();

test.each(['', '00', '02a', '04B', 'ff'])(
  'of 1,000 companies, the first 20 that begin with "%s" are listed',
  async (prefix) => {
    const expected = all.filter((one) => one.startsWith(prefix.toLowerCase()));
    expect(await list(prefix)).toEqual({ companies: expected.slice(0, 20), hasMore: expected.length > 20 });
  },
);

test('a company is found by its whole id, and listed once for all its appointments', async () => {
  const [, second = ''] = all;
  const { ObjectId } = world.models;
  await world.models.appointments().insertMany([{ companyId: new ObjectId(second) }, { companyId: second }]);
  expect(await list(second)).toEqual({ companies: [second], hasMore: false });
});

test('ids that are stored as text are listed in lower case; other values are left out', async () => {
  const text = 'fe'.repeat(12);
  await world.models.appointments().insertMany(
    [text.toUpperCase(), 'fe-groomers', 'FE', 7, null, ['fe'], { fe: 1 }].map((value) => ({
      companyId: value,
    })),
  );
  expect(await list('FE')).toEqual({ companies: [text], hasMore: false });
  expect(await list('fe')).toEqual({ companies: [text], hasMore: false });
});
