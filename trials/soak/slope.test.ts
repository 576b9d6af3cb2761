import { expect, test } from '@jest/globals';
import { certainRise, isFlat, type Measurement, slopeOf } from './slope.ts';

const minutes = Array.from({ length: 84 }, (_, index) => index);
/** Deterministic noise, between -2 and 2. */
const noise = (index: number) => ((Math.abs(Math.sin(index * 12.9898)) * 43_758.5453) % 4) - 2;
const line = (level: number, perMinute: number, noiseAt = noise): Measurement[] =>
  minutes.map((at) => ({ minutes: at, value: level + perMinute * at + noiseAt(at) }));

test('the slope of a line without noise is exact', () => {
  const slope = slopeOf([line(100, 3, () => 0)]);
  expect(slope.perMinute).toBeCloseTo(3);
  expect(slope.plusMinus).toBeCloseTo(0);
  expect(slope.mean).toBeCloseTo(100 + 3 * 41.5);
  expect(slope.minutes).toBe(83);
});

test.each([
  ['stays', 0, true],
  ['falls', -1, true],
  ['rises by 4% in the run', 4 / 83, true],
  ['rises by 8% in the run', 8 / 83, false],
])('a noisy series that %s is classified correctly', (_, growth, flat) => {
  const slope = slopeOf([line(100, growth)]);
  expect(Math.abs(slope.perMinute - growth)).toBeLessThanOrEqual(2 * slope.plusMinus);
  expect(isFlat(slope)).toBe(flat);
});

test('slices at different levels have one slope in common', () => {
  const slope = slopeOf([line(100, 0.5), line(20, 0.5), line(200, 0.5)]);
  expect(Math.abs(slope.perMinute - 0.5)).toBeLessThanOrEqual(2 * slope.plusMinus);
  expect(slope.minutes).toBe(3 * 83);
  expect(certainRise(slope)).toBeGreaterThan(0.5);
});

test('a higher level of the second slice is no rise', () => {
  const slope = slopeOf([line(100, 0), line(200, 0)]);
  expect(Math.abs(slope.perMinute)).toBeLessThanOrEqual(slope.plusMinus);
});

test('noise whose neighbours are alike makes the interval wider', () => {
  const slow = slopeOf([line(100, 0, (at) => 2 * Math.sin(at / 5))]);
  expect(slow.plusMinus).toBeGreaterThan(2 * slopeOf([line(100, 0)]).plusMinus);
});

test('slices of fewer than three measurements are ignored', () => {
  expect(slopeOf([line(100, 0), line(900, 0).slice(0, 2)]).mean).toBeCloseTo(100, 0);
  expect(() => slopeOf([[]])).toThrow('too few for a slope');
});
