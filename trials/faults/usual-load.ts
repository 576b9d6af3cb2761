import { DEFAULTS, type ChaosOptions } from '../chaos/options.ts';

/** Emissions per second that the bots request without a fault. */
export const USUAL_PER_SECOND = 3;

const BOTS = 6;

/** A small fleet under a steady, light load, so that the recovery time does not depend on capacity. */
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
    pauseMs: (BOTS / USUAL_PER_SECOND) * 1_000,
    settleTimeoutMs: 60_000,
    ...over,
  };
}
