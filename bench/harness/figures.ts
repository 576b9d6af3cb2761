import { decodeHistogram } from './histogram.ts';

/** One metric, measured for every contender. The first contender is the baseline, with the ratio 1.00. */
export interface Figure {
  /** Includes the unit: `event p99, ms`. */
  name: string;
  contenders: ContenderFigure[];
}

interface ContenderFigure {
  name: string;
  /** One for each round. */
  values: number[];
  /** The single measurements behind `values`: one histogram for each turn. */
  histograms?: string[];
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
  /** Compares this quantile (0 to 1) of the histograms of all rounds together, not the values of each round. */
  pooledQuantile?: number;
}

/** The ratio of two contenders: taken within each round, then the median over all rounds. */
export interface Ratio {
  value: number;
  /** Half the interquartile range, as a share of the median. */
  spread: number;
}

/** The ratio that a threshold is about. A pooled ratio has no spread. */
export type ThresholdRatio = Pick<Ratio, 'value'> & Partial<Ratio>;

/** @returns undefined if a contender was left out. @throws if the figure was not measured at all */
export function thresholdRatioOf(
  figures: readonly Figure[],
  { figure: name, contender, baseline, pooledQuantile }: Threshold,
): ThresholdRatio | undefined {
  const figure = figures.find((one) => one.name === name);
  if (!figure) throw new Error(`"${name}" was not measured`);
  const isMeasured = (wanted: string) => figure.contenders.some((one) => one.name === wanted);
  if (!isMeasured(contender) || !isMeasured(baseline)) return undefined;
  if (pooledQuantile === undefined) return ratioOf(figure, contender, baseline);
  const pooled = (wanted: string) =>
    quantile((find(figure, wanted).histograms ?? []).flatMap(decodeHistogram), pooledQuantile);
  return { value: pooled(contender) / pooled(baseline) };
}

/** @throws if one of the contenders was not measured */
export function ratioOf(figure: Figure, contender: string, baseline: string): Ratio {
  const own = find(figure, contender).values;
  const base = find(figure, baseline).values;
  const ratios = own.map((value, round) => value / base[round]!);
  return { value: median(ratios), spread: spreadOf(ratios) };
}

function find(figure: Figure, contender: string): ContenderFigure {
  const found = figure.contenders.find(({ name }) => name === contender);
  if (!found) throw new Error(`"${contender}" was not measured for "${figure.name}"`);
  return found;
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
