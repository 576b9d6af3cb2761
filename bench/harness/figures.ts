/** One measure of all sides that were compared. The first side is 1.00. */
export interface Figure {
  /** With its unit: `event p99, ms`. */
  name: string;
  /** `values`: one per round. */
  sides: { name: string; values: number[] }[];
}

/** What must be reached, as a ratio within a round. */
export interface Must {
  says: string;
  figure: string;
  side: string;
  /** The side that is 1.00 here. */
  against: string;
  bound: 'at least' | 'at most';
  must: number;
  aim?: number;
}

/** Median over the rounds of what two sides' values of one round make. */
export interface Ratio {
  value: number;
  /** Half of the distance between the quartiles, as a part of the median. */
  spread: number;
}

/** @throws where a side was not measured */
export function ratioOf(figure: Figure, side: string, against: string): Ratio {
  const own = valuesOf(figure, side);
  const base = valuesOf(figure, against);
  const ratios = own.map((value, round) => value / base[round]!);
  return { value: median(ratios), spread: spreadOf(ratios) };
}

function valuesOf(figure: Figure, side: string): readonly number[] {
  const found = figure.sides.find(({ name }) => name === side);
  if (!found) throw new Error(`"${side}" was not measured for "${figure.name}"`);
  return found.values;
}

export type Verdict = 'aim reached' | 'reached' | 'NOT reached';

export function judge(value: number, { bound, must, aim }: Must): Verdict {
  const keeps = (limit: number): boolean => (bound === 'at least' ? value >= limit : value <= limit);
  if (aim !== undefined && keeps(aim)) return 'aim reached';
  return keeps(must) ? 'reached' : 'NOT reached';
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function spreadOf(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values);
}

/** Linear between the neighbours. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  const below = sorted[low] ?? Number.NaN;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] ?? Number.NaN;
  return below + (above - below) * (at - low);
}
