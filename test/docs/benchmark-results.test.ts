import { expect, test } from '@jest/globals';
import {
  quantile,
  ratioOf,
  thresholdRatioOf,
  type Figure,
  type Threshold,
} from '../../bench/harness/figures.ts';
import { decodeHistogram, encodeHistogram } from '../../bench/harness/histogram.ts';
import { isFromThisRun } from '../../bench/harness/results.ts';

const P99 = 'event p99, ms';
const threshold: Threshold = {
  ...{ claim: 'p99 of all rounds together', figure: P99, contender: 'ours', baseline: 'peer' },
  ...{ bound: 'at most', threshold: 1, pooledQuantile: 0.99 },
};

/** One round has all the slow events of `ours`: 10 of 500. */
const ROUNDS = Array.from({ length: 5 }, (_, round) =>
  Array.from({ length: 100 }, (_ignored, i) => (round === 3 && i < 10 ? 80.04 + i : 4.004 + i / 1_000)),
);
const EVEN = ROUNDS.map((round) => round.map((_, i) => 5 + i / 100));

function figureOf(contenders: Record<string, number[][]>): Figure {
  return {
    name: P99,
    contenders: Object.entries(contenders).map(([name, rounds]) => ({
      name,
      values: rounds.map((round) => quantile(round, 0.99)),
      histograms: rounds.map(encodeHistogram),
    })),
  };
}

test('a histogram keeps the number of values, and each to half a percent', () => {
  const values = ROUNDS.flat().sort((a, b) => a - b);
  const kept = decodeHistogram(encodeHistogram(values));
  expect(kept).toHaveLength(values.length);
  for (const [i, value] of values.entries()) expect(Math.abs(kept[i]! / value - 1)).toBeLessThan(0.005);
  expect(decodeHistogram('')).toEqual([]);
});

test('a pooled quantile is that of all rounds together, not the median of the rounds', () => {
  const figure = figureOf({ ours: ROUNDS, peer: EVEN });
  const exact = quantile(ROUNDS.flat(), 0.99) / quantile(EVEN.flat(), 0.99);
  expect(thresholdRatioOf([figure], threshold)?.value).toBeCloseTo(exact, 1);
  // Negative control: four of five rounds have no slow event.
  expect(ratioOf(figure, 'ours', 'peer').value).toBeLessThan(1);
  expect(exact).toBeGreaterThan(10);
});

test('a threshold is not measured if a contender was left out, and fails if its figure is missing', () => {
  expect(thresholdRatioOf([figureOf({ ours: ROUNDS })], threshold)).toBeUndefined();
  expect(() => thresholdRatioOf([], threshold)).toThrow(P99);
});

test('a run resumes only from results of the same code, machine and versions, with enough rounds', () => {
  const versions = { ws: '8.21.3', peers: 'none' };
  const run = { rounds: 5, commit: 'f88992a6c2', machine: { cpu: '2 × x' }, versions };
  const saved = { ...run, machine: { ...run.machine }, versions: { ...versions } };
  expect(isFromThisRun(saved, run)).toBe(true);
  expect(isFromThisRun({ ...saved, rounds: 6 }, run)).toBe(true);
  expect(isFromThisRun({ ...saved, rounds: 4 }, run)).toBe(false);
  expect(isFromThisRun({ ...saved, commit: '96d5b39aaa' }, run)).toBe(false);
  expect(isFromThisRun({ ...saved, versions: { ...versions, peers: 'Centrifugo 6.9.1' } }, run)).toBe(false);
  expect(isFromThisRun({ ...saved, machine: { cpu: '4 × x' } }, run)).toBe(false);
  for (const commit of ['f88992a6c2+', 'unknown'])
    expect(isFromThisRun({ ...saved, commit }, { ...run, commit })).toBe(false);
});
