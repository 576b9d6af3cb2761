import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What was measured at one moment of a slice, and what has happened in the slice until then. */
export interface Sample {
  /** A slice is the life of one testbed. A run that was killed is continued by another slice. */
  slice: number;
  seed: number;
  /** Since the start of the slice. */
  minutes: number;
  /** False during the warm-up, which is not judged. */
  isWarm: boolean;
  /** By series, such as `API: heap in use, MB`. Empty in the last sample of a slice, which has its final counts. */
  values: Record<string, number>;
  /** Number of keys in Redis by kind. */
  kinds: Record<string, number>;
  /** Number of emissions, deploys, faults and so on since the start of the slice. */
  counts: Record<string, number>;
  /** Violations of a guarantee since the start of the slice. */
  violations: string[];
}

export interface Samples {
  all: readonly Sample[];
  append: (sample: Sample) => void;
}

/**
 * Keeps samples in a file, one JSON document in a line, so that a killed run keeps them.
 * @param isResumed  whether the file may have samples of earlier slices
 */
export function openSamples(file: string, isResumed: boolean): Samples {
  if (existsSync(file) && !isResumed)
    throw new Error(`${file} has samples of another run: give --resume, or another --file`);
  const all = existsSync(file) ? readFileSync(file, 'utf8').split('\n').flatMap(parseLine) : [];
  // The line after a torn one starts at its own line.
  if (all.length > 0) appendFileSync(file, '\n');
  return {
    all,
    append(sample) {
      all.push(sample);
      appendFileSync(file, `${JSON.stringify(sample)}\n`);
    },
  };
}

/** An empty line, and a line that was cut when the run was killed, have no sample. */
function parseLine(line: string): Sample[] {
  try {
    return [JSON.parse(line) as Sample];
  } catch {
    return [];
  }
}

/** The samples of each slice. */
export function slicesOf(samples: readonly Sample[]): Sample[][] {
  const slices: Sample[][] = [];
  for (const sample of samples) (slices[sample.slice] ??= []).push(sample);
  return slices;
}

/** Minutes measured by all slices together. */
export const minutesOf = (samples: readonly Sample[]): number =>
  slicesOf(samples).reduce((sum, slice) => sum + slice.at(-1)!.minutes, 0);
