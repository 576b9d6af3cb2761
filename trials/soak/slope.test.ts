import { expect, test } from '@jest/globals';
import { isFlat, slopeOf } from './slope.ts';

const minutes = Array.from({ length: 80 }, (_, index) => index / 10);
/** Deterministic noise. */
const noise = (index: number) => Math.sin(index * 12.9898) * 2;

test('the slope of a line without noise is exact', () => {
  const { perMinute, plusMinus, mean } = slopeOf(minutes.map((at) => ({ minutes: at, value: 100 + 3 * at })));
  expect(perMinute).toBeCloseTo(3);
  expect(plusMinus).toBeCloseTo(0);
  expect(mean).toBeCloseTo(100 + 3 * 3.95);
});

test.each([
  ['stays', 0, true],
  ['falls', -1, true],
  ['rises by 0.3 % per minute', 0.3, true],
  ['rises by 1 % per minute', 1, false],
])('a noisy series that %s is classified correctly', (_, growth, flat) => {
  const slope = slopeOf(
    minutes.map((at, index) => ({ minutes: at, value: 100 + growth * at + noise(index) })),
  );
  expect(Math.abs(slope.perMinute - growth)).toBeLessThanOrEqual(2 * slope.plusMinus);
  expect(isFlat(slope)).toBe(flat);
});

test('fewer than three measurements are rejected', () => {
  expect(() => slopeOf([])).toThrow('too few for a slope');
});
