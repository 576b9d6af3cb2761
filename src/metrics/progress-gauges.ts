import { Gauge, type Registry } from 'prom-client';
import type { Role } from './names.ts';
import { configurationOf } from './prometheus-catalog.ts';

export interface ProgressGauges {
  /** From now on the registry tells how long ago this process got something done in that role. */
  watchProgress: (role: Role, sinceMs: () => number) => void;
  canaryReturned: (roundTripMs: number) => void;
  /** From now on the registry tells how far this process' clock is off. */
  watchClock: (skewMs: (server: 'redis' | 'mongodb') => number | undefined) => void;
  /** From now on the registry tells how many rows the sweep of this process leaves out. */
  watchLeftOut: (count: () => number) => void;
}

/** Adds gauges of what this process itself gets done; without a watch they have no series. */
export function registerProgressGauges(registry: Registry): ProgressGauges {
  const watched = new Map<Role, () => number>();
  const roundTrip = new Gauge({
    ...configurationOf('emission_canary_round_trip_seconds'),
    registers: [registry],
  });
  roundTrip.remove();
  let skewMs: (server: 'redis' | 'mongodb') => number | undefined = () => undefined;
  new Gauge({
    ...configurationOf('emission_clock_skew_seconds'),
    registers: [registry],
    collect() {
      for (const server of ['redis', 'mongodb'] as const) {
        const ms = skewMs(server);
        if (ms !== undefined) this.set({ server }, ms / 1_000);
      }
    },
  });
  let leftOut: () => number = () => 0;
  new Gauge({
    ...configurationOf('emission_sweep_left_out_rows'),
    registers: [registry],
    collect() {
      this.set(leftOut());
    },
  });
  new Gauge({
    ...configurationOf('emission_progress_age_seconds'),
    registers: [registry],
    collect() {
      for (const [role, sinceMs] of watched) this.set({ role }, sinceMs() / 1_000);
    },
  });
  return {
    watchProgress: (role, sinceMs) => void watched.set(role, sinceMs),
    canaryReturned: (roundTripMs) => {
      roundTrip.set(roundTripMs / 1_000);
    },
    watchClock: (skew) => {
      skewMs = skew;
    },
    watchLeftOut: (count) => {
      leftOut = count;
    },
  };
}
