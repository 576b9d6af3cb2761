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
  /** Number of emissions that a bot requests for each write. */
  announcements: number;
  /** Mean pause of a bot between two calls. */
  pauseMs: number;
  /** Mean time between two faults. */
  faultEveryMs: number;
  /** Share of writes (0 to 1) whose bot dies before it calls the API. Sweep or capture must find them. */
  unannouncedShare: number;
  sweep: boolean;
  /** Half of the faults of workers hit the one that reads the change stream. */
  capture: boolean;
  /** A single Redis, or a master and a replica that sentinels watch. */
  topology: 'single' | 'sentinel';
  /** `all`: also of the network, disks and clocks. */
  faults: 'usual' | 'all';
  /** Where the history is kept. Default: in a folder that is removed after the run. */
  historyDir: string;
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
  announcements: 1,
  pauseMs: 0,
  faultEveryMs: 2_000,
  unannouncedShare: 0,
  sweep: false,
  capture: false,
  topology: 'single',
  faults: 'usual',
  historyDir: '',
  maxDurationMs: 90 * 60_000,
  settleTimeoutMs: 120_000,
};

/** The values of the options that are not numbers. */
const CHOICES = {
  sweep: { on: true, off: false },
  capture: { on: true, off: false },
  topology: { single: 'single', sentinel: 'sentinel' },
  faults: { usual: 'usual', all: 'all' },
} as const;

/**
 * Parses flags: each option in kebab case, such as `--emissions 5000 --seed 7 --capture on`.
 * @throws for unknown flags, invalid values, and writes that nothing would find
 */
export function parseOptions(args: readonly string[]): ChaosOptions {
  const names = new Map(
    Object.keys(DEFAULTS).map((field) => [
      field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      field as keyof ChaosOptions,
    ]),
  );
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries([...names.keys()].map((name) => [name, { type: 'string' as const }])),
  });
  const parsed = Object.entries(values).map(([name, value = '']) => {
    const field = names.get(name)!;
    return [field, parseValue(field, name, value)];
  });
  const options = {
    ...DEFAULTS,
    seed: Math.floor(Math.random() * 1e9),
    ...(Object.fromEntries(parsed) as Partial<ChaosOptions>),
  };
  if (options.unannouncedShare > 0 && !options.sweep && !options.capture)
    throw new Error('--unannounced-share needs --sweep on or --capture on');
  return options;
}

function parseValue(field: keyof ChaosOptions, name: string, value: string): unknown {
  if (field in CHOICES) {
    const choices: Record<string, unknown> = CHOICES[field as keyof typeof CHOICES];
    if (!(value in choices))
      throw new Error(`--${name} must be ${Object.keys(choices).join(' or ')}, not ${value}`);
    return choices[value];
  }
  if (typeof DEFAULTS[field] === 'string') return value;
  const parsed = Number(value);
  if (!Number.isFinite(parsed) || parsed < 0)
    throw new Error(`--${name} must be a number of at least 0, not ${value}`);
  return parsed;
}
