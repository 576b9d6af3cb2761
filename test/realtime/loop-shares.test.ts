import { expect, test } from '@jest/globals';
import { createLoopShares } from '../../src/access/loop-shares.ts';

/** Counts the use of several companies for some time. @param msPerSecond  by company */
function use(msPerSecond: Record<string, number>, forMs: number, shares = createLoopShares(), from = 0) {
  for (let at = from; at < from + forMs; at += 10)
    for (const [companyId, ms] of Object.entries(msPerSecond)) shares.add(companyId, ms / 100, at);
  return shares;
}

/** @returns use in ms per second, by company; most of it by the crowd */
const besideCrowd = (crowdMs: number, others: number): Record<string, number> => ({
  crowd: crowdMs,
  ...Object.fromEntries(Array.from({ length: others }, (_, index) => [`other ${index}`, 5])),
});

test.each([1, 2, 10, 49])('a crowd beside %i companies is over its share, and none of these is', (others) => {
  const shares = use(besideCrowd(700, others), 3_000);
  expect(shares.isShared(3_000)).toBe(true);
  expect(shares.isOver('crowd', 3_000)).toBe(true);
  for (let index = 0; index < others; index += 1) expect(shares.isOver(`other ${index}`, 3_000)).toBe(false);
});

test('two crowds are both over their shares', () => {
  const shares = use({ ...besideCrowd(400, 20), crowd2: 400 }, 3_000);
  expect([shares.isOver('crowd', 3_000), shares.isOver('crowd2', 3_000)]).toEqual([true, true]);
});

test.each([1, 2, 20])('%i companies that use the same are all within their shares', (companies) => {
  const equal = Object.fromEntries(Array.from({ length: companies }, (_, index) => [`c${index}`, 40]));
  const shares = use(equal, 3_000);
  for (const companyId of Object.keys(equal)) expect(shares.isOver(companyId, 3_000)).toBe(false);
});

test('a company alone is never over its share', () => {
  const shares = use({ crowd: 900 }, 3_000);
  expect(shares.isShared(3_000)).toBe(false);
  expect(shares.isOver('crowd', 3_000)).toBe(false);
});

test('a company that uses nothing is not over its share', () => {
  expect(use({ crowd: 900 }, 3_000).isOver('new', 3_000)).toBe(false);
});

test('a step up is noticed within half a second, and a step down within one', () => {
  const shares = use(besideCrowd(5, 10), 3_000);
  expect(shares.isOver('crowd', 3_000)).toBe(false);
  use(besideCrowd(700, 10), 500, shares, 3_000);
  expect(shares.isOver('crowd', 3_500)).toBe(true);
  use(besideCrowd(5, 10), 1_000, shares, 3_500);
  expect(shares.isOver('crowd', 4_500)).toBe(false);
});

test('use is forgotten after a second', () => {
  const shares = use(besideCrowd(700, 3), 1_000);
  expect(shares.isShared(2_100)).toBe(false);
  expect(shares.isOver('crowd', 2_100)).toBe(false);
  use({ crowd: 700 }, 1_000, shares, 10_000);
  expect(shares.isShared(11_000)).toBe(false);
});
