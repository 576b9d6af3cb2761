const DIGITS = 3;

/**
 * Values rounded to three digits and counted, in ascending order: `4.27 4.31*2 12.1`. Short enough to be saved for each
 * round, and exact enough for any quantile.
 */
export function encodeHistogram(values: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const value of values) {
    const rounded = Number(value.toPrecision(DIGITS));
    counts.set(rounded, (counts.get(rounded) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([value, count]) => (count === 1 ? String(value) : `${value}*${count}`))
    .join(' ');
}

/** Returns the rounded values. */
export function decodeHistogram(histogram: string): number[] {
  return (histogram.match(/\S+/g) ?? []).flatMap((entry) => {
    const [value, count = 1] = entry.split('*').map(Number);
    return Array.from({ length: count }, () => value!);
  });
}
