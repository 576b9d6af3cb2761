import { parseArgs } from 'node:util';

export interface CaptureOptions {
  /** Number of writes of all writers together. */
  writes: number;
  seed: number;
  /** Whether the sweep runs too, every 2 s. */
  sweep: boolean;
  /** `CAPTURE_GRACE_MS` of the workers. */
  graceMs: number;
  /** Mean pause of a writer between two writes. */
  pauseMs: number;
  /** Mean time between two faults of the owner. */
  faultEveryMs: number;
  /** Staff edits, and as many bot's calls, in each measurement of latency; 0: none is made. */
  edits: number;
}

/**
 * Parses `--writes 10000 --seed 7 --sweep off --grace-ms 250 --pause-ms 300 --fault-every-ms 4000 --edits 200`.
 * @throws for unknown flags and invalid values
 */
export function parseOptions(args: readonly string[]): CaptureOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      writes: { type: 'string', default: '2000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      sweep: { type: 'string', default: 'off' },
      'grace-ms': { type: 'string', default: '250' },
      'pause-ms': { type: 'string', default: '300' },
      'fault-every-ms': { type: 'string', default: '4000' },
      edits: { type: 'string', default: '200' },
    },
  });
  const whole = (name: Exclude<keyof typeof values, 'sweep'>): number => {
    const number = Number(values[name]);
    if (!Number.isSafeInteger(number) || number < 0)
      throw new Error(`--${name} must be a whole number of at least 0, not ${values[name]}`);
    return number;
  };
  if (values.sweep !== 'on' && values.sweep !== 'off')
    throw new Error(`--sweep must be on or off, not ${values.sweep}`);
  return {
    writes: whole('writes'),
    seed: whole('seed'),
    sweep: values.sweep === 'on',
    graceMs: whole('grace-ms'),
    pauseMs: whole('pause-ms'),
    faultEveryMs: whole('fault-every-ms'),
    edits: whole('edits'),
  };
}
