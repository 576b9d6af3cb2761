import { parseArgs } from 'node:util';

export interface ChaosOptions {
  /** How many emissions the bots ask for. */
  emissions: number;
  seed: number;
  workers: number;
  gateways: number;
  companies: number;
  /** Dashboards of each company. */
  screens: number;
  appointments: number;
  /** Bots that write and call at the same time. */
  bots: number;
  /** Which part of the calls are batches, and how many emissions the largest has. */
  batchShare: number;
  largestBatch: number;
  /** Mean pause of a bot between two calls, in ms. */
  restMs: number;
  /** Mean time between two faults, in ms. */
  faultEveryMs: number;
  /** Which part of the writes is never announced, because their bot dies first; then the sweep is on. */
  dyingBots: number;
  /** No more emissions after so long, in ms. */
  longestMs: number;
  /** After the last fault everything must have settled within this, in ms. */
  settleMs: number;
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
  largestBatch: 8,
  restMs: 0,
  faultEveryMs: 2_000,
  dyingBots: 0,
  longestMs: 90 * 60_000,
  settleMs: 120_000,
};

/** `--emissions 5000 --seed 7 --dying-bots 0.1`; every field of the options, in kebab case. @throws for what it does not know */
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
    const number = Number(value);
    if (field === undefined || !Number.isFinite(number) || number < 0) {
      throw new Error(`--${name} needs a number of 0 or more, not ${String(value)}`);
    }
    options[field] = number;
  }
  return options;
}
