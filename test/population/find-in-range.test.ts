import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import { createFindInRange } from '../../src/population/find-in-range.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

test('rows that cannot be listed do not displace rows that can: a cut list never looks complete', async () => {
  const { models, company: newCompany } = world.documents;
  const company = await newCompany();
  const range = { companyId: company.companyId, from: 0, to: 10_000 };
  const owner = new Types.ObjectId(company.companyId);
  const others = ['a', 'b'.repeat(24), 7].map((_id) => ({ _id, companyId: owner, start: new Date(1) }));
  await models.Appointment.collection.insertMany(others as never);
  const ids: string[] = [];
  for (let n = 0; n < 6; n += 1) ids.push(await company.appointment({ start: new Date(1_000 + n) }));
  const find = createFindInRange(world.models);
  expect(await find(range, 5)).toEqual(ids.slice(0, 5));
  expect(await find(range, 100)).toEqual(ids);
});
