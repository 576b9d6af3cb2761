/** A straight line fitted to the measurements. */
export interface Slope {
  perMinute: number;
  /** Half of the 95% confidence interval of `perMinute`. It assumes independent measurements, so it is somewhat too narrow. */
  plusMinus: number;
  mean: number;
}

export interface Measurement {
  minutes: number;
  value: number;
}

/** Allowed growth per minute, as a share of the mean. */
const MAX_GROWTH = 0.005;

/** Fits a line by least squares. @throws for fewer than three measurements */
export function slopeOf(measured: readonly Measurement[]): Slope {
  const n = measured.length;
  if (n < 3) throw new Error(`${n} measurements are too few for a slope`);
  const meanOf = (pick: (one: Measurement) => number) =>
    measured.reduce((sum, one) => sum + pick(one), 0) / n;
  const [middle, mean] = [meanOf(({ minutes }) => minutes), meanOf(({ value }) => value)];
  const spread = meanOf(({ minutes }) => (minutes - middle) ** 2) * n;
  const perMinute = (meanOf(({ minutes, value }) => (minutes - middle) * (value - mean)) * n) / spread;
  const left = meanOf(({ minutes, value }) => (value - mean - perMinute * (minutes - middle)) ** 2) * n;
  return { perMinute, plusMinus: 1.96 * Math.sqrt(left / (n - 2) / spread), mean };
}

/**
 * A series is flat if the lower end of its slope's 95% confidence interval is at most 0.5% of the mean per minute. A falling
 * series is flat too.
 */
export function isFlat({ perMinute, plusMinus, mean }: Slope): boolean {
  return perMinute - plusMinus <= MAX_GROWTH * mean;
}
