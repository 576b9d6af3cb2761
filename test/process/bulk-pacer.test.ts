import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createAllowance, createBulkPacer } from '../../src/process/bulk-pacer.ts';
import { FIRST_BULK_STATE, MIN_SHARE } from '../../src/process/bulk-share.ts';
import { until } from '../harness/until.ts';

/** A pacer whose clock goes on only while the test works or the pacer rests. */
function createTestPacer({ utilization = 0.6 } = {}) {
  let now = 5_000;
  const rests: number[] = [];
  const pacer = createBulkPacer({
    now: () => now,
    readUtilization: () => utilization,
    pause: (ms) => {
      rests.push(ms);
      now += ms;
      return Promise.resolve();
    },
  });
  const pass = (ms: number) => {
    now += ms;
    return Promise.resolve();
  };
  return {
    pacer,
    rests,
    pass,
    slice: (ms: number, maxWaitMs?: number) => pacer.bulk(() => pass(ms), maxWaitMs),
  };
}
const nothing = () => Promise.resolve();
/** Lets everything run that waits for no timer. */
const runPending = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('bulk work alone never rests', async () => {
  const { rests, slice } = createTestPacer();
  for (let step = 0; step < 50; step += 1) await slice(5);
  expect(rests).toEqual([]);
});

test('beside live emissions bulk work rests in proportion to its slices; one second after the last it stops', async () => {
  const { pacer, rests, pass, slice } = createTestPacer();
  await pacer.live(nothing);
  await slice(3);
  expect(rests).toEqual([]);
  await slice(3);
  await slice(6);
  await slice(6);
  expect(rests[1]).toBe(rests[0]);
  expect(rests[2]).toBe(2 * rests[0]!);
  await pass(1_000);
  rests.length = 0;
  for (let step = 0; step < 50; step += 1) await slice(3);
  expect(rests).toEqual([]);
});

test('the busier the event loop is, the longer bulk work rests', async () => {
  const shares = [];
  for (const utilization of [0.3, 0.6, 1]) {
    const { pacer, rests, slice } = createTestPacer({ utilization });
    const step = async (): Promise<void> => {
      await pacer.live(nothing);
      await slice(3);
    };
    for (let count = 0; count < 1_000; count += 1) await step();
    rests.length = 0;
    await step();
    shares.push(3 / (3 + (rests[0] ?? 0)));
  }
  expect(shares[0]).toBe(1);
  expect(shares[1]).toBeCloseTo(0.3);
  expect(shares[2]).toBeCloseTo(MIN_SHARE);
});

describe('with timers that do not run', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('a slice waits until the live emission in progress ends', async () => {
    const { pacer, slice } = createTestPacer();
    let end: () => void = () => undefined;
    await pacer.live(nothing);
    await slice(10);
    const live = pacer.live(() => new Promise<void>((resolve) => (end = resolve)));
    let isDone = false;
    const bulk = slice(10).then(() => (isDone = true));
    await runPending();
    expect(isDone).toBe(false);
    end();
    await live;
    await runPending();
    expect(isDone).toBe(true);
    await bulk;
  });

  test('a slice waits until the last of several live emissions in progress ends', async () => {
    const { pacer, slice } = createTestPacer();
    const ends: (() => void)[] = [];
    await pacer.live(nothing);
    await slice(10);
    const live = [1, 2].map(() => pacer.live(() => new Promise<void>((resolve) => ends.push(resolve))));
    let isDone = false;
    const bulk = slice(10).then(() => (isDone = true));
    ends[0]!();
    await live[0];
    await runPending();
    expect(isDone).toBe(false);
    ends[1]!();
    await bulk;
  });
});

test('from one second after its start a live emission in progress delays no slice', async () => {
  const { pacer, rests, pass, slice } = createTestPacer();
  void pacer.live(() => new Promise(() => undefined));
  await pass(900);
  await slice(100);
  let isDone = false;
  void slice(1).then(() => (isDone = true));
  await runPending();
  expect(isDone).toBe(true);
  expect(rests).toEqual([]);
});

test('a live emission that never ends does not stop bulk work, nor does a slice that took hours', async () => {
  const { pacer, rests, slice } = createTestPacer();
  void pacer.live(() => new Promise(() => undefined));
  await slice(1);
  await until('a slice beside the endless live emission', slice(3_600_000));
  void pacer.live(nothing);
  await until('the next slice', slice(1));
  expect(Math.max(...rests)).toBeLessThanOrEqual(200);
});

test('a caller limits the wait before its slice', async () => {
  const { pacer, rests, slice } = createTestPacer();
  void pacer.live(() => new Promise(() => undefined));
  await slice(100);
  await until('the slice that does not wait', slice(1, 0));
  expect(rests).toEqual([]);
});

test('a slice or a live emission that fails is counted as ended', async () => {
  const { pacer, slice } = createTestPacer();
  await expect(pacer.live(() => Promise.reject(new Error('live')))).rejects.toThrow('live');
  await expect(pacer.bulk(() => Promise.reject(new Error('bulk')))).rejects.toThrow('bulk');
  await until('the next slice', slice(1));
});

test('a clock that stands still stops neither live nor bulk work', async () => {
  const pacer = createBulkPacer({ now: () => 0, pause: nothing, readUtilization: () => Number.NaN });
  for (let step = 0; step < 5; step += 1) {
    await until('live work', pacer.live(nothing));
    await until('bulk work', pacer.bulk(nothing));
  }
});

/** An allowance beside live emissions while the event loop is always busy. */
function createTestAllowance() {
  const world = { now: 5_000, isBesideLive: true };
  const allowance = createAllowance({
    now: () => world.now,
    readUtilization: () => 1,
    isBesideLive: () => world.isBesideLive,
  });
  return { world, allowance };
}

test('the share of bulk work follows from what was measured over 100 ms to one second', () => {
  const { world, allowance } = createTestAllowance();
  expect(allowance()).toBe(FIRST_BULK_STATE.share);
  world.now += 99;
  expect(allowance()).toBe(FIRST_BULK_STATE.share);
  world.now += 1;
  const second = allowance();
  expect(second).toBeLessThan(FIRST_BULK_STATE.share);
  world.now += 1_000;
  expect(allowance()).toBe(second);
  world.now += 999;
  expect(allowance()).toBeLessThan(second);
});

test('when live emissions begin or end the share changes at once, whatever was measured', () => {
  const { world, allowance } = createTestAllowance();
  world.isBesideLive = false;
  expect(allowance()).toBe(1);
  world.isBesideLive = true;
  world.now += 1;
  expect(allowance()).toBe(FIRST_BULK_STATE.share);
  world.isBesideLive = false;
  expect(allowance()).toBe(1);
});
