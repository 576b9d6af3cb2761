import { expect, test } from '@jest/globals';
import { isFlat, slopeOf } from './slope.ts';

const minutes = Array.from({ length: 80 }, (_, index) => index / 10);
/** Ups and downs that no slope explains, the same in each run. */
const noise = (index: number) => Math.sin(index * 12.9898) * 2;

test('a line without noise is found exactly', () => {
  const { perMinute, plusMinus, mean } = slopeOf(minutes.map((at) => ({ minutes: at, value: 100 + 3 * at })));
  expect(perMinute).toBeCloseTo(3);
  expect(plusMinus).toBeCloseTo(0);
  expect(mean).toBeCloseTo(100 + 3 * 3.95);
});

test.each([
  ['stays', 0, true],
  ['falls', -1, true],
  ['rises by a third of a per cent in a minute', 0.3, true],
  ['rises by one per cent in a minute', 1, false],
])('under noise, what %s is told', (_, growth, flat) => {
  const slope = slopeOf(
    minutes.map((at, index) => ({ minutes: at, value: 100 + growth * at + noise(index) })),
  );
  expect(Math.abs(slope.perMinute - growth)).toBeLessThanOrEqual(2 * slope.plusMinus);
  expect(isFlat(slope)).toBe(flat);
});

test('two measurements make no slope', () => {
  expect(() => slopeOf([])).toThrow('make no slope');
});
