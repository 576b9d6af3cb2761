/** A straight line through what was measured. */
export interface Slope {
  perMinute: number;
  /** Half of the 95% interval of `perMinute`. It takes the measurements for independent, so it is rather too narrow. */
  plusMinus: number;
  mean: number;
}

export interface Measurement {
  minutes: number;
  value: number;
}

/** Of the mean, in a minute. */
const MOST_GROWTH = 0.005;

/** Least squares. Needs at least three measurements. */
export function slopeOf(measured: readonly Measurement[]): Slope {
  const n = measured.length;
  if (n < 3) throw new Error(`${n} measurements make no slope`);
  const meanOf = (pick: (one: Measurement) => number) =>
    measured.reduce((sum, one) => sum + pick(one), 0) / n;
  const [middle, mean] = [meanOf(({ minutes }) => minutes), meanOf(({ value }) => value)];
  const spread = meanOf(({ minutes }) => (minutes - middle) ** 2) * n;
  const perMinute = (meanOf(({ minutes, value }) => (minutes - middle) * (value - mean)) * n) / spread;
  const left = meanOf(({ minutes, value }) => (value - mean - perMinute * (minutes - middle)) ** 2) * n;
  return { perMinute, plusMinus: 1.96 * Math.sqrt(left / (n - 2) / spread), mean };
}

/**
 * Flat: were the line as low as its 95% interval allows, it would rise by at most 0.5% of its mean in a minute.
 * A falling line is flat too.
 */
export function isFlat({ perMinute, plusMinus, mean }: Slope): boolean {
  return perMinute - plusMinus <= MOST_GROWTH * mean;
}
