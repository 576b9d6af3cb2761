import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  DAY_MS,
  HOUR_MS,
  idOf,
  MINUTE_MS,
  openStoredWorld,
  SECOND_MS,
  type StoredWorld,
} from './stored-world.ts';

let world: StoredWorld;
beforeEach(() => {
  world = openStoredWorld();
});

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
const mark = (agoMs: number, fields: { appointmentId?: string; caughtUp?: boolean } = {}) => ({
  updatedAt: world.stored.now - agoMs,
  appointmentId: '',
  caughtUp: true,
  ...fields,
});
/** Stores rows that were written `agoMs` ago, one ms after another. */
const writeMany = (count: number, agoMs: number, isPublished = false): void => {
  for (const number of numbers(count)) {
    const row = world.write(number, agoMs - number);
    if (isPublished) world.publish(row);
  }
};

describe('a sweep', () => {
  test('emits the rows whose last write was not published', async () => {
    world.publish(world.write(1, MINUTE_MS));
    world.write(2, MINUTE_MS);
    world.publish({ ...world.write(3, MINUTE_MS), updatedAt: 5 });
    const report = await world.sweep();
    expect(report).toEqual({ looked: 3, emitted: 2, leftOut: 0, gone: 0, caughtUp: true });
    const at = world.stored.now - MINUTE_MS;
    expect(world.enqueued).toEqual([
      {
        event: 'appointment:created',
        appointmentId: idOf(2),
        companyId: 'c'.repeat(24),
        emissionId: `sweep-${idOf(2)}-${at}`,
        acceptedAt: new Date(world.stored.now).toISOString(),
      },
      expect.objectContaining({ event: 'appointment:updated', emissionId: `sweep-${idOf(3)}-${at}` }),
    ]);
  });

  test('leaves the writes of the last five seconds to their bots', async () => {
    world.write(1, 5 * SECOND_MS);
    world.write(2, 5 * SECOND_MS - 1);
    await world.sweep();
    expect(world.emittedIds()).toEqual([1]);
    expect(world.stored.watermark).toEqual(mark(5 * SECOND_MS));
  });

  test('begins one day back if there is no watermark', async () => {
    world.write(1, DAY_MS + 1);
    world.write(2, DAY_MS - 1);
    world.write(3, DAY_MS - 2, { createdAt: world.stored.now - 30 * DAY_MS });
    await world.sweep();
    expect(world.enqueued.map(({ event, appointmentId }) => [event, appointmentId])).toEqual([
      ['appointment:created', idOf(2)],
      ['appointment:updated', idOf(3)],
    ]);
  });

  test('begins five minutes before a watermark that had caught up', async () => {
    world.stored.watermark = mark(HOUR_MS);
    world.write(1, HOUR_MS + 5 * MINUTE_MS + 1);
    world.write(2, HOUR_MS + 5 * MINUTE_MS);
    await world.sweep();
    expect(world.emittedIds()).toEqual([2]);
  });

  test('continues exactly after a watermark of five seconds ago that had not caught up', async () => {
    world.write(1, MINUTE_MS);
    world.stored.watermark = mark(5 * SECOND_MS, { appointmentId: idOf(9), caughtUp: false });
    expect(await world.sweep()).toMatchObject({ looked: 0, caughtUp: true });
  });

  test('continues exactly after a watermark that had not caught up', async () => {
    world.stored.watermark = mark(HOUR_MS, { appointmentId: idOf(2), caughtUp: false });
    for (const number of [1, 2, 3]) world.write(number, HOUR_MS);
    await world.sweep();
    expect(world.emittedIds()).toEqual([3]);
  });

  test('takes a row that was created before its window for an updated one', async () => {
    world.stored.watermark = mark(HOUR_MS);
    world.write(1, MINUTE_MS, { createdAt: world.stored.now - HOUR_MS - 5 * MINUTE_MS });
    world.write(2, MINUTE_MS, { createdAt: world.stored.now - HOUR_MS - 5 * MINUTE_MS - 1 });
    await world.sweep();
    expect(world.enqueued.map(({ event }) => event)).toEqual(['appointment:created', 'appointment:updated']);
  });

  test('emits about 500 rows; the next one continues after them', async () => {
    writeMany(1_200, HOUR_MS);
    const reports = [await world.sweep(), await world.sweep(), await world.sweep()];
    expect(reports.map((report) => [report?.emitted, report?.caughtUp])).toEqual([
      [500, false],
      [500, false],
      [200, true],
    ]);
    expect(world.emittedIds()).toEqual(numbers(1_200));
  });

  test('searches for deleted appointments only when it has caught up', async () => {
    writeMany(600, HOUR_MS);
    world.stored.index = [
      { appointmentId: idOf(9_999), companyId: 'c'.repeat(24), publishedAt: world.stored.now - 1 },
    ];
    expect(await world.sweep()).toMatchObject({ gone: 0, caughtUp: false });
    expect(await world.sweep()).toMatchObject({ gone: 1, caughtUp: true });
  });

  test('reads all pages at once if their rows are published', async () => {
    writeMany(1_200, HOUR_MS, true);
    expect(await world.sweep()).toMatchObject({ looked: 1_200, emitted: 0, caughtUp: true });
  });

  test('looks up a published row once, not in each sweep, while its row is unchanged', async () => {
    world.publish(world.write(1, MINUTE_MS));
    await world.sweep();
    await world.sweep();
    expect(world.lookedUp).toEqual([idOf(1)]);
    world.write(1, 50 * SECOND_MS);
    await world.sweep();
    expect(world.emittedIds()).toEqual([1]);
  });

  test('looks up a row again after it emitted it', async () => {
    world.write(1, MINUTE_MS);
    await world.sweep();
    await world.sweep();
    expect(world.emittedIds()).toEqual([1, 1]);
  });

  test('looks up all rows again if the watermark is lost: jobs may be lost too', async () => {
    world.publish(world.write(1, MINUTE_MS));
    await world.sweep();
    world.stored.published.clear();
    world.stored.watermark = undefined;
    await world.sweep();
    expect(world.emittedIds()).toEqual([1]);
  });

  test('does not run while more than 1,000 jobs wait', async () => {
    world.write(1, MINUTE_MS);
    world.stored.waitingJobs = 1_001;
    expect(await world.sweep()).toEqual({ looked: 0, emitted: 0, leftOut: 0, gone: 0, caughtUp: false });
    expect(world.stored.watermark).toBeUndefined();
    world.stored.waitingJobs = 1_000;
    expect(await world.sweep()).toMatchObject({ emitted: 1 });
  });

  test('reports each walk anew', async () => {
    world.publish(world.write(1, MINUTE_MS));
    expect([(await world.sweep())?.looked, (await world.sweep())?.looked]).toEqual([1, 1]);
  });

  test('counts rows that cannot be emitted', async () => {
    world.stored.leftOut = [{ key: 'x', appointmentId: null, field: '_id' }];
    world.publish(world.write(1, MINUTE_MS));
    expect(await world.sweep()).toMatchObject({ looked: 2, leftOut: 1, emitted: 0 });
    expect([world.leftOut.count(), world.newlyLeftOut]).toEqual([1, ['x']]);
  });

  test('ends when it loses its lease', async () => {
    writeMany(600, HOUR_MS, true);
    world.stored.keepsLease = false;
    expect(await world.sweep()).toMatchObject({ looked: 500, caughtUp: false });
  });

  test('without the lease does nothing, and forgets what another process may change', async () => {
    world.stored.leftOut = [{ key: 'x', appointmentId: null, field: '_id' }];
    world.publishGone(21);
    await world.sweep();
    world.write(1, -HOUR_MS);
    world.lookBack.beginSoon();
    await world.lookBack.step(world.stored.now);
    expect([world.leftOut.count(), world.findGone.held(), world.lookBack.inFuture()]).toEqual([
      1,
      { gone: 21, checked: 21 },
      1,
    ]);
    world.stored.hasLease = false;
    expect(await world.sweep()).toBeUndefined();
    expect([world.leftOut.count(), world.findGone.held(), world.lookBack.inFuture()]).toEqual([
      0,
      undefined,
      0,
    ]);
  });
});

describe('rows of a company whose master is away', () => {
  test('are checked again by the next sweep; other rows are emitted meanwhile', async () => {
    world.write(1, HOUR_MS);
    world.write(2, MINUTE_MS);
    world.stored.away.add(idOf(1));
    expect(await world.sweep()).toMatchObject({ looked: 2, emitted: 1, caughtUp: true });
    expect(world.stored.watermark).toEqual(mark(DAY_MS, { caughtUp: false }));
    world.stored.away.clear();
    await world.sweep();
    expect(world.emittedIds()).toEqual([2, 1, 2]);
  });

  test('keep the watermark at the first page that contains one', async () => {
    writeMany(1_200, HOUR_MS, true);
    for (const number of [700, 1_100]) world.stored.away.add(idOf(number));
    await world.sweep();
    expect(world.stored.watermark).toEqual({
      updatedAt: world.stored.rows[499]?.updatedAt,
      appointmentId: idOf(500),
      caughtUp: false,
    });
  });

  test('do not hide other errors', async () => {
    world.write(1, MINUTE_MS);
    world.stored.published.get = () => {
      throw new Error('a defect');
    };
    await expect(world.sweep()).rejects.toThrow('a defect');
  });
});

describe('a watermark in the future', () => {
  test('is replaced by the present', async () => {
    world.stored.watermark = mark(-MINUTE_MS);
    world.write(1, MINUTE_MS);
    await world.sweep();
    expect(world.emittedIds()).toEqual([1]);
    expect(world.stored.watermark).toEqual(mark(5 * SECOND_MS));
  });

  test('that is more than five minutes ahead begins a look-back over the last day', async () => {
    world.write(1, 10 * HOUR_MS);
    world.stored.watermark = mark(-5 * MINUTE_MS + 5 * SECOND_MS);
    await world.sweep();
    expect(world.emittedIds()).toEqual([]);
    world.stored.watermark = mark(-5 * MINUTE_MS + 5 * SECOND_MS - 1);
    expect(await world.sweep()).toMatchObject({ emitted: 1 });
    expect(world.emittedIds()).toEqual([1]);
  });
});

describe('a look-back', () => {
  const sweeps = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += 1) await world.sweep();
  };
  beforeEach(() => {
    world.stored.watermark = mark(5 * SECOND_MS);
  });

  test('finds a row below the watermark at the twelfth sweep, and again after twelve more', async () => {
    world.write(1, 10 * HOUR_MS);
    await sweeps(11);
    expect(world.emittedIds()).toEqual([]);
    await sweeps(1);
    expect(world.emittedIds()).toEqual([1]);
    world.write(2, 11 * HOUR_MS);
    await sweeps(11);
    expect(world.emittedIds()).toEqual([1]);
    await sweeps(1);
    expect(world.emittedIds()).toEqual([1, 2]);
  });

  test('reaches back one day', async () => {
    world.write(1, DAY_MS + 1);
    world.write(2, DAY_MS - 1, { createdAt: world.stored.now - DAY_MS });
    world.write(3, DAY_MS - 1, { createdAt: world.stored.now - DAY_MS - 1 });
    await sweeps(12);
    expect(world.enqueued.map(({ event, appointmentId }) => [event, appointmentId])).toEqual([
      ['appointment:created', idOf(2)],
      ['appointment:updated', idOf(3)],
    ]);
  });

  test('finds rows in the future, and counts them', async () => {
    world.write(1, -HOUR_MS);
    await sweeps(12);
    expect([world.emittedIds(), world.lookBack.inFuture()]).toEqual([[1], 1]);
    world.stored.rows = [];
    await sweeps(12);
    expect(world.lookBack.inFuture()).toBe(0);
  });

  test('leaves rows within five minutes of now to the sweep', async () => {
    world.write(1, -5 * MINUTE_MS);
    world.write(2, -5 * MINUTE_MS - 1);
    await sweeps(12);
    expect([world.emittedIds(), world.lookBack.inFuture()]).toEqual([[2], 1]);
  });

  test('reads one page per sweep', async () => {
    for (const number of numbers(1_100)) world.publish(world.write(number, 10 * HOUR_MS - number));
    await sweeps(11);
    const counts: number[] = [];
    while (counts.length < 4) {
      await sweeps(1);
      counts.push(world.lookedUp.length);
    }
    expect(counts).toEqual([500, 1_000, 1_100, 1_100]);
  });

  test('looks up a row once while it is unchanged, and those of companies that were away again', async () => {
    world.publish(world.write(1, 10 * HOUR_MS));
    world.write(2, 10 * HOUR_MS);
    world.stored.away.add(idOf(2));
    await sweeps(12);
    expect(world.lookedUp).toEqual([idOf(1), idOf(2)]);
    world.stored.away.clear();
    await sweeps(12);
    expect([world.lookedUp.slice(2), world.emittedIds()]).toEqual([[idOf(2)], [2]]);
    world.write(1, 9 * HOUR_MS);
    await sweeps(12);
    expect(world.emittedIds()).toEqual([2, 1]);
  });

  test('looks up all rows again if the watermark is lost', async () => {
    world.write(1, 30 * HOUR_MS);
    world.write(2, 10 * HOUR_MS);
    await sweeps(12);
    world.stored.watermark = undefined;
    await sweeps(1);
    expect(world.emittedIds()).toEqual([2, 2]);
    world.stored.watermark = mark(5 * SECOND_MS);
    await sweeps(11);
    expect(world.emittedIds()).toEqual([2, 2, 2]);
  });

  test('looks up all rows again if the lease was lost after it emitted some', async () => {
    world.write(1, 10 * HOUR_MS);
    world.lookBack.beginSoon();
    let saves = 0;
    const { sweep } = world;
    Object.defineProperty(world.stored, 'keepsLease', { get: () => (saves += 1) <= 2 });
    await sweep();
    expect(world.emittedIds()).toEqual([1]);
    Object.defineProperty(world.stored, 'keepsLease', { value: true });
    await sweeps(12);
    expect(world.emittedIds()).toEqual([1, 1]);
  });

  test('reports rows that a walk does not reach, until they are repaired', async () => {
    world.stored.unsweepable = [{ key: 'x', appointmentId: idOf(1), field: 'updatedAt' }];
    await sweeps(12);
    expect([world.leftOut.count(), world.leftOut.describe()]).toEqual([1, 'updatedAt: 1']);
    world.stored.unsweepable = [];
    await sweeps(12);
    expect([world.leftOut.count(), world.leftOut.describe()]).toEqual([0, '']);
  });

  test('reports at most 100 rows that a walk does not reach', async () => {
    world.stored.unsweepable = numbers(150).map((number) => ({
      key: String(number),
      appointmentId: null,
      field: '_id',
    }));
    await sweeps(12);
    expect(world.leftOut.count()).toBe(100);
  });

  test('reports rows that its pages leave out', async () => {
    world.stored.leftOut = [{ key: 'x', appointmentId: null, field: '_id' }];
    world.lookBack.beginSoon();
    await world.lookBack.step(world.stored.now);
    expect(world.leftOut.count()).toBe(1);
  });
});

describe('rows that are left out', () => {
  const row = (number: number, field: '_id' | 'companyId' = '_id') => ({
    key: String(number),
    appointmentId: null,
    field,
  });

  test('are reported once, and counted by field', () => {
    world.leftOut.add([row(1), row(2, 'companyId')]);
    world.leftOut.add([row(1), row(3, 'companyId')]);
    world.leftOut.add([]);
    expect(world.newlyLeftOut).toEqual(['1', '2', '3']);
    expect([world.leftOut.count(), world.leftOut.describe()]).toEqual([3, '_id: 1, companyId: 2']);
  });

  test('are forgotten if a whole walk does not find them again', () => {
    world.leftOut.add([row(1), row(2)]);
    world.leftOut.endRound();
    world.leftOut.add([row(2)]);
    world.leftOut.endRound();
    expect([world.leftOut.count(), world.newlyLeftOut]).toEqual([1, ['1', '2']]);
    world.leftOut.endRound();
    expect(world.leftOut.count()).toBe(0);
  });

  test('of an interrupted walk are forgotten with it', () => {
    world.leftOut.add([row(1)]);
    world.leftOut.forget();
    expect(world.leftOut.count()).toBe(0);
    world.leftOut.endRound();
    expect(world.leftOut.count()).toBe(0);
  });

  test('are counted up to 1,000, also after a walk', () => {
    world.leftOut.add(numbers(1_001).map((number) => row(number)));
    expect([world.leftOut.count(), world.newlyLeftOut.length]).toEqual([1_000, 1_000]);
    world.leftOut.endRound();
    expect(world.leftOut.count()).toBe(1_000);
  });
});
