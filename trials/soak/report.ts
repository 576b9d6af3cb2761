import { minutesOf, type Sample, slicesOf } from './samples.ts';
import { certainRise, isFlat, type Measurement, type Slope, slopeOf } from './slope.ts';

export interface Summary {
  slices: number;
  /** Slices that were killed before their last emissions were compared. */
  cutSlices: number;
  minutes: number;
  seeds: number[];
  series: { name: string; slope: Slope; verdict: 'flat' | 'RISES' | 'not judged' }[];
  /** Number of keys by kind: the first and the last measurement of the last slice, if they differ. */
  kinds: { kind: string; first: number; last: number }[];
  counts: Record<string, number>;
  violations: string[];
  isGood: boolean;
}

/**
 * Other programs load the machine too: only the ratio of latencies is judged. The last ids fill Redis for a day, see
 * `memoryOfLastIds`.
 */
const NOT_JUDGED = /^machine: |^Redis: memory in use|^latency: .* ms$/;

export function summarize(samples: readonly Sample[]): Summary {
  const slices = slicesOf(samples);
  const ends = slices.map((slice) => slice.at(-1)!);
  const counts: Record<string, number> = {};
  for (const end of ends)
    for (const [name, count] of Object.entries(end.counts)) counts[name] = (counts[name] ?? 0) + count;
  const violations = ends.flatMap((end) => end.violations);
  const series = seriesOf(slices);
  return {
    slices: slices.length,
    cutSlices: ends.filter(({ values }) => Object.keys(values).length > 0).length,
    minutes: minutesOf(samples),
    seeds: ends.map(({ seed }) => seed),
    series,
    kinds: changedKinds(slices.at(-1) ?? []),
    counts,
    violations,
    isGood: violations.length === 0 && series.every(({ verdict }) => verdict !== 'RISES'),
  };
}

function seriesOf(slices: readonly (readonly Sample[])[]): Summary['series'] {
  const measured = slices.map((slice) => slice.filter(({ isWarm }) => isWarm));
  const names = new Set(measured.flat().flatMap(({ values }) => Object.keys(values)));
  return [...names].map((name) => {
    const slope = slopeOf(measured.map((slice) => slice.flatMap((sample) => measurementOf(sample, name))));
    if (NOT_JUDGED.test(name)) return { name, slope, verdict: 'not judged' };
    return { name, slope, verdict: isFlat(slope) ? 'flat' : 'RISES' };
  });
}

function measurementOf({ minutes, values }: Sample, name: string): Measurement[] {
  const value = values[name];
  return value === undefined ? [] : [{ minutes, value }];
}

function changedKinds(slice: readonly Sample[]): Summary['kinds'] {
  const [first, last] = [slice.find(({ isWarm }) => isWarm)?.kinds ?? {}, slice.at(-1)?.kinds ?? {}];
  return [...new Set([...Object.keys(first), ...Object.keys(last)])]
    .sort()
    .map((kind) => ({ kind, first: first[kind] ?? 0, last: last[kind] ?? 0 }))
    .filter((change) => change.first !== change.last);
}

/** Formats the result: a summary, a Markdown table of the series, the changed key counts and the verdict. */
export function report(summary: Summary): string[] {
  const { slices, cutSlices, minutes, seeds, series, kinds, counts, violations } = summary;
  const number = (value: number) => value.toFixed(Math.abs(value) < 10 ? 3 : 1);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const rising = series.filter(({ verdict }) => verdict === 'RISES').map(({ name }) => name);
  return [
    `seed ${seeds.join(', ')}: ${minutes.toFixed(1)} min in ${slices} slices, ${cutSlices} of them cut short`,
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', '),
    '',
    '| series | mean | slope per hour | rises at least | verdict |',
    '| --- | --- | --- | --- | --- |',
    ...series.map(
      ({ name, slope, verdict }) =>
        `| ${name} | ${number(slope.mean)} | ${number(60 * slope.perMinute)} ± ${number(60 * slope.plusMinus)} | ${percent(certainRise(slope))} | ${verdict} |`,
    ),
    '',
    ...kinds.map(({ kind, first, last }) => `keys ${kind}: ${first} after the warm-up, ${last} at the end`),
    '',
    rising.length === 0 ? 'all series are flat' : `NOT FLAT: ${rising.join('; ')}`,
    violations.length === 0 ? 'no emission lost, no screen stale' : `VIOLATIONS: ${violations.length}`,
    ...violations.slice(0, 20).map((violation) => `  ${violation}`),
  ];
}
