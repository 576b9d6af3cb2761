import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createIndexes } from '../../src/population/indexes.ts';
import { JOB_VERSION } from '../../src/queue/emission-job.ts';
import { MAX_TURN, PRIORITY } from '../../src/queue/retry-policy.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { startMongoTap } from '../harness/mongo-tap.ts';

const MINUTE_MS = 60_000;
let world: World;
let company: Company;
beforeEach(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  company = await world.documents.company();
  await createIndexes(world.models);
});
afterEach(() => world.close());

const writtenAt = (at: Date) => company.appointment({ createdAt: at, updatedAt: at });
const sweeps = { RECONCILE_INTERVAL_MS: '100' };

test('if every write was announced, a sweep is a query of writes and one of published appointments, and both use an index', async () => {
  const api = await world.api();
  const worker = world.worker();
  const writtenBefore = new Date(Date.now() - MINUTE_MS);
  for (let n = 0; n < 20; n += 1) {
    const emissionId = await world.emit(api, 'appointment-created', await writtenAt(writtenBefore));
    await world.jobIn(emissionId, 'completed');
  }
  await worker.close();

  const tap = await startMongoTap(world.env['MONGODB_URI']!);
  world.keep(tap, tap.close);
  await world.workerProcess({ ...sweeps, MONGODB_URI: tap.uri });
  const done = await marks(5);
  const writes = tap.finds.filter(({ ids }) => ids.length === 0);
  const published = tap.finds.filter(({ ids }) => ids.length > 0);
  for (const finds of [writes, published]) {
    // One more may have queried, or recorded its result, between the two readings.
    expect(finds.length).toBeGreaterThanOrEqual(done - 1);
    expect(finds.length).toBeLessThanOrEqual(done + 1);
    const plan = JSON.stringify(await explain(finds.at(-1)!.command));
    expect(plan).toMatch(/IXSCAN|IDHACK/);
    expect(plan).not.toContain('COLLSCAN');
  }
  expect(new Set(published.map(({ ids }) => ids.length))).toEqual(new Set([20]));
  expect(await world.jobs.count('prioritized', 'delayed', 'failed')).toBe(0);

  // Negative control: a write that was not announced costs a read, and is emitted.
  const missed = await writtenAt(writtenBefore);
  const read = await eventually('the missed one to be read', () =>
    tap.finds.find(({ ids }) => ids.length === 1),
  );
  expect(read.ids).toEqual([missed]);
});

test('after hours of outage the sweep emits each write once, and a live booking is published before the remaining ones', async () => {
  const ROWS = 1_000;
  const api = await world.api();
  const dashboard = await world.dashboard(api, company.companyId);
  const missed = await Promise.all(
    Array.from({ length: ROWS }, (_, n) =>
      writtenAt(new Date(Date.now() - (n / ROWS) * 360 * MINUTE_MS - 10_000)),
    ),
  );
  await world.workerProcess({ ...sweeps, WORKER_CONCURRENCY: '10' });
  await eventually(
    'the sweep to be well under way',
    async () => (await world.bulk.getPrioritizedCount()) > 200,
  );

  const live = await world.emit(api, 'appointment-created', await company.appointment());
  const rest = (await world.bulk.getPrioritized()).map(({ id }) => id!);
  // Negative control: with the last turn of the sweep the same emission waits behind them.
  const behind = await company.appointment();
  await world.bulk.add(
    'appointment:created',
    {
      v: JOB_VERSION,
      event: 'appointment:created',
      appointmentId: behind,
      companyId: company.companyId,
      emissionId: 'behind-the-rest',
      acceptedAt: new Date().toISOString(),
    },
    { jobId: 'behind-the-rest', priority: PRIORITY.sweep + MAX_TURN },
  );
  expect(rest.length).toBeGreaterThan(50);

  await eventually(
    'every missed write to be emitted',
    () => new Set(dashboard.received.map(({ payload }) => payload.appointment._id)).size === ROWS + 2,
    60_000,
  );
  const begunAt = async (id: string) => (await world.jobs.get(id))?.processedOn ?? 0;
  const [liveAt, behindAt, restAt] = await Promise.all([
    begunAt(live),
    begunAt('behind-the-rest'),
    Promise.all(rest.map(begunAt)),
  ]);
  // A worker takes both at once.
  expect(restAt.filter((at) => at < liveAt).length).toBeLessThan(rest.length / 4);
  expect(Math.max(...restAt)).toBeLessThanOrEqual(behindAt);
  // Each missed write is emitted once. The two others may be emitted twice: the sweep finds a write whose own emission
  // waits in the queue for longer than the grace.
  const emitted = dashboard.received.map(({ payload }) => payload.appointment._id);
  const ofMissed = emitted.filter((appointmentId) => missed.includes(appointmentId));
  expect(ofMissed.toSorted()).toEqual(missed.toSorted());
});

/** Waits until this number of sweeps have recorded their end; resolves to the number. */
async function marks(wanted: number): Promise<number> {
  const seen = new Set<string>();
  await eventually('the sweeps', async () => {
    const mark = await world.redis.hget(`${world.env['QUEUE_PREFIX']!}:sweep:watermark`, 'updatedAt');
    if (mark !== null) seen.add(mark);
    return seen.size >= wanted;
  });
  return seen.size;
}

function explain(command: object): Promise<unknown> {
  return world.documents.models.Appointment.db.db!.command({ explain: command });
}
