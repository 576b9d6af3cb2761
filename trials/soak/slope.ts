/** A straight line fitted to the measurements. Slices have one slope in common, and a level of their own. */
export interface Slope {
  perMinute: number;
  /** Half of the 95% confidence interval of `perMinute`. */
  plusMinus: number;
  mean: number;
  /** Time from the first to the last measurement of each slice, together. */
  minutes: number;
}

export interface Measurement {
  minutes: number;
  value: number;
}

/** Allowed rise over the measured time, as a share of the mean: the longer the run, the smaller the allowed slope. */
const MAX_RISE = 0.05;
const MAX_CORRELATION = 0.9;

/**
 * Fits a line by least squares. Measurements resemble the ones before them, and then carry less information: the interval is
 * widened by the correlation of neighbouring residuals.
 * @param slices  measurements of each slice, in the order of time; slices of fewer than three are ignored
 * @throws if no slice is left
 */
export function slopeOf(slices: readonly (readonly Measurement[])[]): Slope {
  const used = slices.filter(({ length }) => length >= 3);
  if (used.length === 0) throw new Error('fewer than three measurements are too few for a slope');
  const centered = used.map(center);
  const all = centered.flat();
  const spread = sum(all.map(({ minutes }) => minutes ** 2));
  const perMinute = sum(all.map(({ minutes, value }) => minutes * value)) / spread;
  const residuals = centered.map((slice) => slice.map(({ minutes, value }) => value - perMinute * minutes));
  const variance = sum(residuals.flat().map((one) => one ** 2));
  const neighbours = sum(
    residuals.flatMap((slice) => slice.slice(1).map((one, index) => one * (slice[index] ?? 0))),
  );
  const correlation = variance === 0 ? 0 : Math.min(Math.max(neighbours / variance, 0), MAX_CORRELATION);
  const error = Math.sqrt(variance / (all.length - used.length - 1) / spread);
  return {
    perMinute,
    plusMinus: 1.96 * error * Math.sqrt((1 + correlation) / (1 - correlation)),
    mean: sum(used.flat().map(({ value }) => value)) / all.length,
    minutes: sum(used.map((slice) => slice.at(-1)!.minutes - slice[0]!.minutes)),
  };
}

/** The share of the mean by which a series rises over the measured time, at the lower end of the interval. */
export function certainRise({ perMinute, plusMinus, mean, minutes }: Slope): number {
  return mean === 0 ? 0 : ((perMinute - plusMinus) * minutes) / mean;
}

/** A series is flat if it certainly rises by no more than 5% of its mean. A falling series is flat too. */
export function isFlat(slope: Slope): boolean {
  return certainRise(slope) <= MAX_RISE;
}

function center(slice: readonly Measurement[]): Measurement[] {
  const middle = sum(slice.map(({ minutes }) => minutes)) / slice.length;
  const mean = sum(slice.map(({ value }) => value)) / slice.length;
  return slice.map(({ minutes, value }) => ({ minutes: minutes - middle, value: value - mean }));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
