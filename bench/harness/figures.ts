/** One metric, measured for every contender. The first contender is the baseline, with the ratio 1.00. */
export interface Figure {
  /** Includes the unit: `event p99, ms`. */
  name: string;
  /** `values`: one for each round. */
  contenders: { name: string; values: number[] }[];
}

/** A required ratio between two contenders. `--strict` fails if one is missed. */
export interface Threshold {
  claim: string;
  figure: string;
  contender: string;
  /** The contender that the ratio is relative to. */
  baseline: string;
  bound: 'at least' | 'at most';
  /** Required. */
  threshold: number;
  /** Better than required; a goal only. */
  target?: number;
}

/** The ratio of two contenders: taken within each round, then the median over all rounds. */
export interface Ratio {
  value: number;
  /** Half the interquartile range, as a share of the median. */
  spread: number;
}

/** @throws if one of the contenders was not measured */
export function ratioOf(figure: Figure, contender: string, baseline: string): Ratio {
  const own = valuesOf(figure, contender);
  const base = valuesOf(figure, baseline);
  const ratios = own.map((value, round) => value / base[round]!);
  return { value: median(ratios), spread: spreadOf(ratios) };
}

function valuesOf(figure: Figure, contender: string): readonly number[] {
  const found = figure.contenders.find(({ name }) => name === contender);
  if (!found) throw new Error(`"${contender}" was not measured for "${figure.name}"`);
  return found.values;
}

export type Verdict = 'target met' | 'met' | 'MISSED';

export function verdictOf(value: number, { bound, threshold, target }: Threshold): Verdict {
  const meets = (limit: number): boolean => (bound === 'at least' ? value >= limit : value <= limit);
  if (target !== undefined && meets(target)) return 'target met';
  return meets(threshold) ? 'met' : 'MISSED';
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function spreadOf(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values);
}

/** The `q`-quantile (0 to 1), interpolated linearly. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  const below = sorted[low] ?? Number.NaN;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] ?? Number.NaN;
  return below + (above - below) * (at - low);
}
