import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isUnavailable } from '../../src/process/unavailable.ts';
import { PRIORITY } from '../../src/queue/retry-policy.ts';
import { createEmitMissed, type EmitMissedDeps } from '../../src/sweep/emit-missed.ts';
import { createLeftOutRows } from '../../src/sweep/left-out.ts';
import { createLookBack } from '../../src/sweep/look-back.ts';
import { createSweep, type SweepDeps } from '../../src/sweep/sweep.ts';
import { createAcquireSweepLease } from '../../src/sweep/sweep-state.ts';
import type { Company } from '../harness/documents.ts';
import { ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const SWEEP_OFTEN = { RECONCILE_INTERVAL_MS: '100' };
/** Older than the grace in which a living bot calls. */
const justMissed = () => new Date(Date.now() - 6_000);

let world: World;
let company: Company;
beforeEach(async () => {
  world = await createWorld();
  company = await world.documents.company();
});
afterEach(() => world.close());

const missed = (at = justMissed()) => company.appointment({ createdAt: at, updatedAt: at });

test('an unannounced booking reaches the dashboard as created, once', async () => {
  const api = await world.api();
  const dashboard = await world.dashboard(api, company.companyId);
  const appointmentId = await missed();
  world.worker(SWEEP_OFTEN);

  const received = await dashboard.receive(({ payload }) => payload.appointment._id === appointmentId);
  expect(received.event).toBe('appointment:created');

  // A later one proves that sweeps have gone on meanwhile.
  const later = await missed();
  await dashboard.receive(({ payload }) => payload.appointment._id === later);
  expect(dashboard.received.filter(({ payload }) => payload.appointment._id === appointmentId)).toHaveLength(
    1,
  );
});

test('an unannounced cancellation reaches the dashboard as canceled', async () => {
  const api = await world.api();
  world.worker(SWEEP_OFTEN);
  const dashboard = await world.dashboard(api, company.companyId);
  const appointmentId = await missed(new Date(Date.now() - 8_000));
  await dashboard.receive(({ event }) => event === 'appointment:created');

  await company.change(appointmentId, { status: 'canceled' });
  await world.documents.models.Appointment.collection.updateOne(
    { status: 'canceled' },
    { $set: { updatedAt: justMissed() } },
  );
  const received = await dashboard.receive(({ event }) => event === 'appointment:canceled');
  expect(received.payload.appointment).toMatchObject({ _id: appointmentId, status: 'canceled' });
});

test('a write that the bot announced is not emitted again', async () => {
  const api = await world.api();
  world.worker();
  const announced = await missed();
  const emissionId = await world.emit(api, 'appointment-created', announced);
  await world.jobIn(emissionId, 'completed');

  world.worker(SWEEP_OFTEN);
  const unannounced = await missed();
  await eventually('the sweep to find the other', () => sweptIds().then((ids) => ids.length > 0));
  expect(await sweptIds()).toEqual([expect.stringContaining(unannounced)]);
});

test('an updatedAt that returns after another one was published is emitted again, each time', async () => {
  const api = await world.api();
  world.worker(SWEEP_OFTEN);
  const dashboard = await world.dashboard(api, company.companyId);
  const at = new Date(Date.now() - 60_000);
  const id = await company.appointment({ notes: 'first', createdAt: at, updatedAt: at });
  const receive = (notes: string) =>
    dashboard.receive(
      ({ payload: { appointment } }) => 'notes' in appointment && appointment.notes === notes,
    );
  const write = (notes: string, updatedAt: Date) =>
    world.documents.models.Appointment.collection.updateOne({}, { $set: { notes, updatedAt } });
  /** Each sweep moves the watermark. */
  const sweepsHaveRun = async (count: number) => {
    const watermarks = new Set<string | null>();
    await eventually('sweeps to run', async () => {
      watermarks.add(await world.redis.hget(`${world.env['QUEUE_PREFIX']!}:sweep:watermark`, 'updatedAt'));
      return watermarks.size > count;
    });
  };
  const ids = [(await receive('first')).meta.emissionId];
  for (const round of [1, 2]) {
    await write(`between ${round}`, new Date(at.getTime() - 1));
    await world.emit(api, 'appointment-updated', id);
    await receive(`between ${round}`);
    await sweepsHaveRun(2);
    await write(`again ${round}`, at);
    ids.push((await receive(`again ${round}`)).meta.emissionId);
  }
  expect(new Set(ids).size).toBe(3);
  expect(ids.every((one) => one.startsWith(`sweep-${id}-${at.getTime()}`))).toBe(true);
});

test('after Redis lost all data, the sweep finds the writes of the last day in MongoDB', async () => {
  const redis = await ownRedis();
  const own = await createWorld({ redisUrl: redis.url });
  try {
    const theirs = await own.documents.company();
    const api = await own.api();
    const dashboard = await own.dashboard(api, theirs.companyId);
    const hourAgo = new Date(Date.now() - 3_600_000);
    const appointmentId = await theirs.appointment({ createdAt: hourAgo, updatedAt: hourAgo });
    // Now: a first sweep before the write would have looked at the last hour already.
    own.worker(SWEEP_OFTEN);
    await dashboard.receive(({ payload }) => payload.appointment._id === appointmentId);
    const before = dashboard.received.length;

    await own.redis.flushall();
    await eventually('the sweep to emit it again', () => dashboard.received.length > before);
    expect(dashboard.received.at(-1)!.payload.appointment._id).toBe(appointmentId);
  } finally {
    await own.close();
    await redis.stop();
  }
});

test('writes that a sweep enqueued while Redis lost all data are searched again', async () => {
  const redis = await ownRedis();
  const own = await createWorld({ redisUrl: redis.url });
  try {
    const hourAgo = Date.now() - 3_600_000;
    const row = {
      appointmentId: 'a'.repeat(24),
      companyId: company.companyId,
      createdAt: hourAgo,
      updatedAt: hourAgo,
      status: 'scheduled',
      isDeleted: false,
    };
    const enqueued: string[] = [];
    const sweep = createSweep({
      acquireLease: createAcquireSweepLease({
        redis: own.redis,
        prefix: own.env['QUEUE_PREFIX']!,
        ownerId: 'one',
        lockMs: 60_000,
        reportDamage: () => undefined,
      }),
      ...createParts({
        findUpdated: ({ updatedAt }) =>
          Promise.resolve({ rows: updatedAt < hourAgo ? [row] : [], leftOut: [], next: undefined }),
        enqueue: async ([emission]) => {
          enqueued.push(emission!.emissionId);
          if (enqueued.length === 1) await own.redis.flushall();
        },
      }),
    });

    expect(await sweep()).toMatchObject({ caughtUp: false });
    expect(await sweep()).toMatchObject({ caughtUp: true });
    expect(enqueued).toEqual([enqueued[0], enqueued[0]]);
    expect(await sweep()).toMatchObject({ looked: 0, caughtUp: true });
  } finally {
    await own.close();
    await redis.stop();
  }
});

test('while the master of one company is away, the sweep finds the writes of the others, also on later pages', async () => {
  const at = Date.now() - 3_600_000;
  const rows = ['a', 'b', 'c'].map((hex, index) => ({
    appointmentId: hex.repeat(24),
    companyId: hex.repeat(24),
    ...{ createdAt: at, updatedAt: at + index, status: 'scheduled', isDeleted: false },
  }));
  const enqueued: string[] = [];
  let isAway = true;
  const publishedOf = (companyId: string) => {
    const row = enqueued.includes(companyId) ? rows.find((one) => one.companyId === companyId) : undefined;
    return row && { updatedAt: row.updatedAt, status: '', digest: '' };
  };
  const acquireLease = createAcquireSweepLease({
    redis: world.redis,
    prefix: world.env['QUEUE_PREFIX']!,
    ownerId: 'one',
    lockMs: 60_000,
    reportDamage: () => undefined,
  });
  const sweep = createSweep({
    acquireLease,
    ...createParts({
      // One row on each page.
      findUpdated: ({ updatedAt }) => {
        const [row, next] = rows.filter((one) => one.updatedAt > updatedAt);
        return Promise.resolve({ rows: row ? [row] : [], leftOut: [], next: next && row });
      },
      lastPublished: (companyId) =>
        isAway && companyId.startsWith('b')
          ? Promise.reject(new Error('CLUSTERDOWN The cluster is down'))
          : Promise.resolve(publishedOf(companyId)),
      enqueue: (emissions) => {
        enqueued.push(...emissions.map(({ companyId }) => companyId));
        return Promise.resolve();
      },
    }),
  });
  const mark = async () => (await acquireLease())!.loadWatermark();

  await sweep();
  expect(enqueued).toEqual([rows[0]!.companyId, rows[2]!.companyId]);
  expect(await mark()).toMatchObject({ updatedAt: at, caughtUp: false });
  await sweep();
  expect(await mark()).toMatchObject({ updatedAt: at, caughtUp: false });
  isAway = false;
  await sweep();
  expect(enqueued).toEqual([rows[0]!.companyId, rows[2]!.companyId, rows[1]!.companyId]);
  expect(await mark()).toMatchObject({ caughtUp: true });
});

test('a watermark is not saved into another history of Redis, or by a worker that lost the lock', async () => {
  const redis = await ownRedis();
  const own = await createWorld({ redisUrl: redis.url });
  try {
    const acquireAs = (ownerId: string) =>
      createAcquireSweepLease({
        redis: own.redis,
        prefix: own.env['QUEUE_PREFIX']!,
        ownerId,
        lockMs: 60_000,
        reportDamage: () => undefined,
      })();
    const mark = { updatedAt: 1, appointmentId: '', caughtUp: true };
    const before = await acquireAs('one');
    expect(await acquireAs('two')).toBeUndefined();
    await redis.kill('SIGKILL');
    await redis.restart();
    const after = await eventually('Redis to answer', () => acquireAs('one'));
    expect(await before!.saveWatermark(mark)).toBe(false);
    expect(await after.saveWatermark(mark)).toBe(true);
    expect(await after.loadWatermark()).toEqual(mark);
    await own.redis.del(`${own.env['QUEUE_PREFIX']!}:sweep:lock`);
    await acquireAs('two');
    expect(await after.saveWatermark(mark)).toBe(false);
  } finally {
    await own.close();
    await redis.stop();
  }
});

test('many missed writes are emitted at low priority, each once, by two workers together', async () => {
  const at = justMissed();
  const ids = await Promise.all(Array.from({ length: 700 }, () => missed(at)));
  const api = await world.api();
  const dashboard = await world.dashboard(api, company.companyId);
  world.worker(SWEEP_OFTEN);
  world.worker(SWEEP_OFTEN);

  await eventually(
    'every missed write to be on the dashboard',
    () => dashboard.received.length >= ids.length,
    30_000,
  );
  expect(dashboard.received.map(({ payload }) => payload.appointment._id).sort()).toEqual(ids.sort());
  const [swept] = await world.bulk.getCompleted(0, 0);
  expect(swept?.opts.priority).toBeGreaterThanOrEqual(PRIORITY.sweep);
});

/** A sweep without servers but for its state in Redis. */
function createParts({
  findUpdated,
  lastPublished = () => Promise.resolve(undefined),
  enqueue,
}: Pick<SweepDeps, 'findUpdated'> &
  Pick<EmitMissedDeps, 'enqueue'> &
  Partial<Pick<EmitMissedDeps, 'lastPublished'>>): Omit<SweepDeps, 'acquireLease'> {
  const leftOut = createLeftOutRows(() => undefined);
  const emitMissed = createEmitMissed({
    lastPublished,
    enqueue,
    isCanceled: (status) => status === 'canceled',
    isUnavailable,
  });
  const findUnsweepable = () => Promise.resolve([]);
  const lookBack = createLookBack({ findUpdated, findUnsweepable, emitMissed, leftOut });
  const findGone = {
    step: () => Promise.resolve(0),
    except: () => undefined,
    held: () => undefined,
    forget: () => undefined,
  };
  return { findUpdated, emitMissed, lookBack, leftOut, findGone, backlog: () => Promise.resolve(0) };
}

async function sweptIds(): Promise<string[]> {
  const jobs = await world.jobs.in('completed', 'active', 'prioritized');
  return jobs.flatMap((job) => (job.id?.startsWith('sweep-') ? [job.id] : []));
}
