import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import request from 'supertest';
import type { Logger } from '../../src/process/logger.ts';
import { createCheckReferences } from '../../src/population/check-references.ts';
import { watchReferences } from '../../src/population/watch-references.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
});
afterEach(() => world.close());

test('a reference that never resolves is a warning with its collection, until it resolves', async () => {
  const api = await world.ready(world.api());
  const warnings = async (): Promise<string[]> => {
    const { body } = await request(api.url).get('/health');
    return (body as { warnings: string[] }).warnings.filter((warning) => warning.includes('never resolves'));
  };
  const company = await world.documents.company();
  const { Customer } = world.documents.models;
  await Customer.collection.deleteMany({});
  for (let count = 0; count < 5; count += 1) await company.appointment();
  await eventually('the warning', async () => (await warnings()).length === 1);
  expect(await warnings()).toEqual([
    expect.stringMatching(/^customerId never resolves: .*collection customers/),
  ]);
  const metrics = await request(api.url)
    .get('/metrics')
    .set('x-api-key', world.env.INTERNAL_SERVICE_API_KEY!);
  expect(metrics.text).toContain('emission_unresolved_references{field="customerId"} 5');
  expect(metrics.text).toContain('emission_unresolved_references{field="petId"} 0');

  await Customer.collection.insertOne(company.customer);
  await eventually('no warning', async () => (await warnings()).length === 0);
});

test('the log reports once that a reference never resolves, and once that it resolves again', async () => {
  const company = await world.documents.company();
  const { Staff } = world.documents.models;
  await Staff.collection.deleteMany({});
  for (let count = 0; count < 5; count += 1) await company.appointment({ petId: null });
  const lines: [string, object][] = [];
  const note = (fields: object, event: string) => void lines.push([event, fields]);
  const logger = { warn: note, info: note } as unknown as Logger;
  const check = createCheckReferences(world.models);
  const { warnings, close } = watchReferences({
    check,
    connected: Promise.resolve(),
    count: () => undefined,
    logger,
  });
  try {
    await warnings();
    await warnings();
    const where = { field: 'staffId', collection: 'staff' };
    expect(lines).toEqual([['reference never resolves', { ...where, isEmpty: true, referring: 5 }]]);
    await Staff.collection.insertOne(company.staff);
    expect(await warnings()).toEqual([]);
    expect(lines.slice(1)).toEqual([['reference resolves again', where]]);
  } finally {
    close();
  }
});

test('a dangling reference among others is only counted, and a reference into another company does not resolve', async () => {
  const [company, other] = [await world.documents.company(), await world.documents.company()];
  for (let count = 0; count < 5; count += 1)
    await company.appointment({ petId: other.pet._id, ...(count > 0 && { staffId: new Types.ObjectId() }) });
  const checked = await createCheckReferences(world.models)();
  expect(checked).toContainEqual({
    field: 'petId',
    collection: 'pets',
    isEmpty: false,
    referring: 5,
    unresolved: 5,
  });
  expect(checked).toContainEqual({
    field: 'staffId',
    collection: 'staff',
    isEmpty: false,
    referring: 5,
    unresolved: 4,
  });
});

test('a collection that does not exist is reported for the first appointment that refers to it, as soon as MongoDB can be read', async () => {
  const company = await world.documents.company();
  await world.documents.models.Service.collection.drop();
  await company.appointment();
  const lines: [string, object][] = [];
  const note = (fields: object, event: string) => void lines.push([event, fields]);
  const logger = { warn: note, info: note } as unknown as Logger;
  const check = createCheckReferences(world.models);
  const connected = Promise.resolve();
  const { warnings, close } = watchReferences({ check, connected, count: () => undefined, logger });
  try {
    await eventually('the line', () => lines.length > 0);
    const where = { field: 'serviceId', collection: 'services', isEmpty: true, referring: 1 };
    expect(lines).toEqual([['reference never resolves', where]]);
    expect(await warnings()).toEqual([
      'serviceId never resolves: the collection services does not exist or is empty; check its name in the model',
    ]);
  } finally {
    close();
  }
});
