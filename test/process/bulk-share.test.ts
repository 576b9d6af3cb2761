import { expect, test } from '@jest/globals';
import {
  type BulkState,
  decideBulkShare,
  FIRST_BULK_STATE,
  MIN_SHARE,
  TARGET_UTILIZATION,
} from '../../src/process/bulk-share.ts';

/** A process in which bulk work uses as much of its time as it is allowed to, and live emissions use `live`. */
function run(
  { live, isBesideLive = true }: { live: number; isBesideLive?: boolean },
  state: BulkState = FIRST_BULK_STATE,
  decisions = 50,
) {
  let current = state;
  let allowance = state.share;
  const utilizations: number[] = [];
  for (let step = 0; step < decisions; step += 1) {
    const utilization = Math.min(1, live + allowance);
    utilizations.push(utilization);
    ({ state: current, allowance } = decideBulkShare(current, { utilization, isBesideLive }));
  }
  return { state: current, allowance, utilizations };
}

test('bulk work gets all time without live emissions, and the rest of the time beside them', () => {
  expect(run({ live: 0, isBesideLive: false }).allowance).toBe(1);
  for (const live of [0, 0.05, 0.3, 0.5]) {
    expect(run({ live }).allowance).toBeCloseTo(TARGET_UTILIZATION - live, 1);
  }
  for (const live of [0.6, 0.9, 1]) expect(run({ live }).allowance).toBe(MIN_SHARE);
});

test('after a step up of live emissions the event loop is below the target within six decisions', () => {
  const { state } = run({ live: 0 });
  const { utilizations } = run({ live: 0.4 }, state);
  expect(utilizations[0]).toBe(1);
  expect(Math.max(...utilizations.slice(6))).toBeLessThan(TARGET_UTILIZATION * 1.1);
});

test('after a step down bulk work gets the free time within twelve decisions, without an overshoot', () => {
  const { state } = run({ live: 0.9 });
  const { utilizations } = run({ live: 0.1 }, state);
  expect(Math.max(...utilizations)).toBeLessThan(TARGET_UTILIZATION * 1.1);
  expect(Math.min(...utilizations.slice(12))).toBeGreaterThan(TARGET_UTILIZATION * 0.9);
});

test('with a lower target bulk work gets less', () => {
  let state = FIRST_BULK_STATE;
  let allowance = state.share;
  for (let step = 0; step < 50; step += 1)
    ({ state, allowance } = decideBulkShare(
      state,
      { utilization: 0.1 + allowance, isBesideLive: true },
      0.3,
    ));
  expect(allowance).toBeCloseTo(0.2, 1);
});

test('the share returns to where it was after the live emissions pause', () => {
  const { state } = run({ live: 0.3 });
  expect(run({ live: 0, isBesideLive: false }, state).state).toEqual(state);
});

test.each([undefined, Number.NaN, -1, -Infinity])('a utilization of %p changes nothing', (utilization) => {
  const { state, allowance } = decideBulkShare({ share: 0.4 }, { utilization, isBesideLive: true });
  expect([state.share, allowance]).toEqual([0.4, 0.4]);
});

test('an idle event loop raises the share as much as one decision may', () => {
  const { allowance } = decideBulkShare({ share: 0.4 }, { utilization: 0, isBesideLive: true });
  expect(allowance).toBe(0.5);
});

test.each([0, 1e-9, 7, Infinity])(
  'a utilization of %p changes the share by a bounded step',
  (utilization) => {
    const { allowance } = decideBulkShare({ share: 0.4 }, { utilization, isBesideLive: true });
    expect(allowance).toBeGreaterThanOrEqual(0.2);
    expect(allowance).toBeLessThanOrEqual(0.5);
  },
);

test.each([Number.NaN, -1, 0, Infinity])('a share of %p becomes a usable one', (share) => {
  const { state } = decideBulkShare({ share }, { utilization: 0.5, isBesideLive: true });
  expect(state.share).toBeGreaterThanOrEqual(MIN_SHARE);
  expect(state.share).toBeLessThanOrEqual(1);
});
