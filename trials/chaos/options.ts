import { parseArgs } from 'node:util';

export interface ChaosOptions {
  /** Number of emissions that the bots request. */
  emissions: number;
  seed: number;
  workers: number;
  gateways: number;
  companies: number;
  /** Dashboards per company. */
  screens: number;
  appointments: number;
  /** Bots that write and call concurrently. */
  bots: number;
  /** Share of calls that are batches (0 to 1), and the largest number of emissions in one. */
  batchShare: number;
  maxBatchSize: number;
  /** Mean pause of a bot between two calls. */
  pauseMs: number;
  /** Mean time between two faults. */
  faultEveryMs: number;
  /** Share of writes (0 to 1) whose bot dies before it calls the API. Above 0 the sweep is on. */
  unannouncedShare: number;
  /** Bots never call, the sweep is off, and capture finds their writes. Half of the faults of workers hit its owner. */
  capture: boolean;
  /** After this time the bots stop. */
  maxDurationMs: number;
  /** Time limit for the testbed to settle after the last fault. */
  settleTimeoutMs: number;
}

export const DEFAULTS: ChaosOptions = {
  emissions: 2_000,
  seed: 1,
  workers: 3,
  gateways: 2,
  companies: 3,
  screens: 3,
  appointments: 40,
  bots: 30,
  batchShare: 0.1,
  maxBatchSize: 8,
  pauseMs: 0,
  faultEveryMs: 2_000,
  unannouncedShare: 0,
  capture: false,
  maxDurationMs: 90 * 60_000,
  settleTimeoutMs: 120_000,
};

/** The options whose value is a number, and those whose value is `on` or `off`. */
type Named<T> = {
  [Field in keyof ChaosOptions]: ChaosOptions[Field] extends T ? Field : never;
}[keyof ChaosOptions];

const isSwitch = (field: keyof ChaosOptions): field is Named<boolean> => typeof DEFAULTS[field] === 'boolean';

/**
 * Parses flags: each option in kebab case, such as `--emissions 5000 --seed 7 --capture on`.
 * @throws for unknown flags and invalid values
 */
export function parseOptions(args: readonly string[]): ChaosOptions {
  const names = new Map(
    (Object.keys(DEFAULTS) as (keyof ChaosOptions)[]).map((field) => [
      field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      field,
    ]),
  );
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries([...names.keys()].map((name) => [name, { type: 'string' as const }])),
  });
  const options = { ...DEFAULTS, seed: Math.floor(Math.random() * 1e9) };
  for (const [name, value] of Object.entries(values)) {
    const field = names.get(name);
    if (field === undefined) continue;
    if (isSwitch(field)) {
      if (value !== 'on' && value !== 'off')
        throw new Error(`--${name} must be on or off, not ${String(value)}`);
      options[field] = value === 'on';
      continue;
    }
    const number = Number(value);
    if (!Number.isFinite(number) || number < 0)
      throw new Error(`--${name} must be a number of at least 0, not ${String(value)}`);
    options[field as Named<number>] = number;
  }
  return options;
}
