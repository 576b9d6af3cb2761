import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mongo, Types } from 'mongoose';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const SWEEP_OFTEN = { RECONCILE_INTERVAL_MS: '100' };
const PAGE = 500;
/** Beyond the overlap, so that no later sweep reads it again. */
const tenMinutesAgo = () => new Date(Date.now() - 600_000);

let world: World;
let company: Company;
beforeEach(async () => {
  world = await createWorld();
  company = await world.documents.company();
});
afterEach(() => world.close());

/** Rows in one insert, since there are many; `change` gets each with its number. */
async function insert(
  count: number,
  change: (row: Record<string, unknown>, n: number) => Record<string, unknown>,
): Promise<void> {
  const rows = Array.from({ length: count }, (_, n) => {
    const at = new Date(tenMinutesAgo().getTime() + n);
    const row = {
      _id: new Types.ObjectId(),
      companyId: new Types.ObjectId(company.companyId),
      customerId: company.customer._id,
      petId: company.pet._id,
      start: at,
      end: at,
      status: 'scheduled',
      createdAt: at,
      updatedAt: at,
    };
    return change(row, n);
  });
  await world.documents.models.Appointment.collection.insertMany(rows);
}

async function swept(): Promise<number> {
  const jobs = await world.bulk.getJobs([
    'completed',
    'active',
    'prioritized',
    'waiting',
    'delayed',
    'failed',
  ]);
  return jobs.filter((job) => job.id?.startsWith('sweep-')).length;
}

const warningsOf = async (url: string) =>
  ((await (await fetch(`${url}/health`)).json()) as { warnings: string[] }).warnings.join('\n');

test.each<[string, (row: Record<string, unknown>) => Record<string, unknown>]>([
  ['no companyId', (row) => ({ ...row, companyId: undefined })],
  ['a companyId that is a name', (row) => ({ ...row, companyId: 'Salon Bauer' })],
  ['a string as its _id', (row) => ({ ...row, _id: `booking-${String(row['_id'])}` })],
  ['a number as its _id', (row) => ({ ...row, _id: Number.parseInt(String(row['_id']).slice(18), 16) })],
  ['a document as its _id', (row) => ({ ...row, _id: { booking: row['_id'] } })],
  ['a boolean-like type that sorts after ObjectIds as its _id', (row) => ({ ...row, _id: new Date() })],
  ['several dates as its updatedAt', (row) => ({ ...row, updatedAt: [row['updatedAt'], new Date(0)] })],
])('a row with %s in the first page costs no other row its emission', async (_what, spoil) => {
  await insert(1_200, (row, n) => (n === 250 ? spoil(row) : row));
  world.worker(SWEEP_OFTEN);
  await eventually('all others to be emitted', async () => (await swept()) === 1_199, 40_000);
});

test('the sweep continues after a page of unusable rows, and after many rows with one time', async () => {
  const at = tenMinutesAgo();
  await insert(3 * PAGE, (row, n) =>
    n < PAGE + 1 ? { ...row, companyId: null } : { ...row, updatedAt: at, createdAt: at },
  );
  world.worker(SWEEP_OFTEN);
  await eventually('the usable rows to be emitted', async () => (await swept()) === 2 * PAGE - 1, 40_000);
});

test('rows that the sweep leaves out are reported in /health and in a metric until they are repaired', async () => {
  const { Timestamp, Long } = mongo;
  const spoiled = [
    ['updatedAt', '2026-11-28T10:00:00Z'],
    ['updatedAt', 1_764_324_000_000.5],
    ['updatedAt', new Timestamp({ t: 1_764_324_000, i: 1 })],
    ['updatedAt', Long.fromString('9000000000000000')],
    ['updatedAt', undefined],
    ['updatedAt', { at: 1 }],
    ['_id', 'ann@example.org'],
    ['companyId', 7],
  ] as const;
  await insert(spoiled.length + 1, (row, n) => {
    const [field, value] = spoiled[n] ?? ['status', 'scheduled'];
    return { ...row, [field]: value };
  });
  const api = await world.api();
  const worker = await world.workerProcess({ ...SWEEP_OFTEN, METRICS_PORT: '0' });
  await eventually(
    'all of them to be reported',
    async () =>
      /updatedAt: 6/.test(await warningsOf(api.url)) &&
      /_id: 1/.test(await warningsOf(api.url)) &&
      /companyId: 1/.test(await warningsOf(api.url)),
  );
  expect(await warningsOf(api.url)).not.toContain('ann@example.org');
  expect(worker.output()).not.toContain('ann@example.org');
  expect(worker.output()).toContain('[InternalSocket] Rows left out by the sweep');
  expect(await swept()).toBe(1);

  const { collection } = world.documents.models.Appointment;
  await collection.updateMany({}, { $set: { updatedAt: tenMinutesAgo() } });
  await collection.deleteMany({ _id: { $type: 'string' } });
  await collection.updateMany({}, { $set: { companyId: new Types.ObjectId(company.companyId) } });
  await eventually(
    'the warning to end',
    async () => !(await warningsOf(api.url)).includes('the sweep leaves out'),
    30_000,
  );
  expect(await swept()).toBeGreaterThanOrEqual(spoiled.length);
});

test('a row that is repaired without a new updatedAt is emitted, although the watermark has passed it', async () => {
  const api = await world.api();
  const dashboard = await world.dashboard(api, company.companyId);
  const id = await company.appointment({ companyId: 'Salon', updatedAt: tenMinutesAgo() });
  world.worker(SWEEP_OFTEN);
  await eventually('the row to be left out', async () =>
    (await warningsOf(api.url)).includes('companyId: 1'),
  );
  await world.documents.models.Appointment.collection.updateOne(
    { _id: new Types.ObjectId(id) },
    { $set: { companyId: new Types.ObjectId(company.companyId) } },
  );
  await dashboard.receive(({ payload }) => payload.appointment._id === id);
});
