import { Gauge, type Registry } from 'prom-client';
import type { ProcessRole } from '@appointment-emissions/contracts';
import { readBuildInfo } from '../process/build-info.ts';
import type { ClockServer } from '../redis/shared-clock.ts';
import { configurationOf } from './prometheus-catalog.ts';

export interface ProcessGauges {
  /** Adds the age of the last progress in a role. */
  watchProgress: (role: ProcessRole, sinceMs: () => number) => void;
  canaryReturned: (roundTripMs: number) => void;
  /** Adds the clock skew of this process. */
  watchClock: (skewMs: (server: ClockServer) => number | undefined) => void;
  /** Adds the number of rows that the sweep of this process leaves out. */
  watchLeftOut: (count: () => number) => void;
  countUnresolved: (field: string, unresolved: number) => void;
  /** Adds the number of warnings in `/health`. @param read  settles in bounded time */
  watchWarnings: (read: () => Promise<readonly string[]>) => void;
}

/** Gauges of this process alone. A gauge has no series before its first value. */
export function registerProcessGauges(registry: Registry): ProcessGauges {
  const registers = [registry];
  const sinceProgressMs = new Map<ProcessRole, () => number>();
  let skewMs: (server: ClockServer) => number | undefined = () => undefined;
  let leftOut: () => number = () => 0;

  registerBuildInfo(registry);
  const roundTrip = new Gauge({ ...configurationOf('emission_canary_round_trip_seconds'), registers });
  roundTrip.remove();
  const unresolved = new Gauge({ ...configurationOf('emission_unresolved_references'), registers });
  new Gauge({
    ...configurationOf('emission_clock_skew_seconds'),
    registers,
    collect() {
      for (const server of ['redis', 'mongodb'] as const) {
        const ms = skewMs(server);
        if (ms !== undefined) this.set({ server }, ms / 1_000);
      }
    },
  });
  new Gauge({
    ...configurationOf('emission_sweep_left_out_rows'),
    registers,
    collect() {
      this.set(leftOut());
    },
  });
  new Gauge({
    ...configurationOf('emission_progress_age_seconds'),
    registers,
    collect() {
      for (const [role, sinceMs] of sinceProgressMs) this.set({ role }, sinceMs() / 1_000);
    },
  });

  return {
    watchProgress: (role, sinceMs) => void sinceProgressMs.set(role, sinceMs),
    canaryReturned: (roundTripMs) => {
      roundTrip.set(roundTripMs / 1_000);
    },
    watchClock: (skew) => {
      skewMs = skew;
    },
    watchLeftOut: (count) => {
      leftOut = count;
    },
    countUnresolved: (field, count) => {
      unresolved.set({ field }, count);
    },
    watchWarnings: (read) => {
      new Gauge({
        ...configurationOf('emission_health_warnings'),
        registers,
        async collect() {
          this.set((await read()).length);
        },
      });
    },
  };
}

function registerBuildInfo(registry: Registry): void {
  const { version, node, commit = 'unknown' } = readBuildInfo();
  const build = new Gauge({ ...configurationOf('emission_build_info'), registers: [registry] });
  build.set({ version, node, commit }, 1);
}
