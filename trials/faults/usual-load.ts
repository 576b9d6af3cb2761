import { DEFAULTS, type ChaosOptions } from '../chaos/options.ts';

/** Emissions a second that the bots ask for while nothing is wrong. */
export const USUAL_PER_SECOND = 3;

const BOTS = 6;

/** A small fleet with a steady, light load: what is measured is recovery. */
export function usualLoad(over: Partial<ChaosOptions>): ChaosOptions {
  return {
    ...DEFAULTS,
    emissions: Infinity,
    workers: 1,
    gateways: 1,
    companies: 2,
    screens: 2,
    appointments: 50,
    bots: BOTS,
    restMs: (BOTS / USUAL_PER_SECOND) * 1_000,
    settleMs: 60_000,
    ...over,
  };
}
