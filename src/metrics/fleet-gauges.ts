import { Gauge, type Registry } from 'prom-client';
import { QUEUES } from '@appointment-emissions/contracts';
import { within } from '../process/lifecycle.ts';
import type { Fleet } from './fleet/read-fleet.ts';
import { configurationOf, type MetricName } from './prometheus-catalog.ts';
import type { QueuesDepth } from './queue-depth.ts';
import type { QueueStates } from './queue-state.ts';
import { shareFor } from '../batching.ts';

interface Deps {
  registry: Registry;
  readQueueDepth: () => Promise<QueuesDepth>;
  readQueueStates: () => Promise<QueueStates>;
  readFleet: () => Promise<Fleet>;
  /** One reading serves all gauges of a scrape, and scrapes within this time. */
  cacheMs?: number;
  /** A frozen Redis must not block the scrape. */
  timeoutMs?: number;
}

interface Reading {
  depth: QueuesDepth;
  states: QueueStates;
  fleet: Fleet;
}

const JOB_STATES = ['waiting', 'prioritized', 'delayed', 'active', 'failed'] as const;

/** Sets each gauge from one reading. */
const GAUGES = {
  emission_queue_jobs: (gauge, { depth }) => {
    for (const state of JOB_STATES) gauge.set({ state }, depth[state]);
  },
  emission_shard_jobs: (gauge, { depth: { shards } }) => {
    for (const { shard, jobs } of shards)
      for (const [state, count] of Object.entries(jobs ?? {})) gauge.set({ shard, state }, Number(count));
  },
  emission_shard_oldest_waiting_age_seconds: (gauge, { depth: { shards } }) => {
    for (const { shard, jobs, oldestWaitingAgeMs } of shards)
      if (jobs) gauge.set({ shard }, (oldestWaitingAgeMs ?? 0) / 1000);
  },
  emission_queue_oldest_waiting_age_seconds: (gauge, { depth }) => {
    gauge.set({ queue: 'live' }, (depth.oldestLiveWaitingAgeMs ?? 0) / 1000);
    gauge.set({ queue: 'bulk' }, (depth.oldestBulkWaitingAgeMs ?? 0) / 1000);
  },
  emission_queue_paused: (gauge, { states }) => {
    for (const queue of QUEUES) gauge.set({ queue }, states[queue].paused ? 1 : 0);
  },
  emission_queue_limited: (gauge, { states }) => {
    for (const queue of QUEUES) {
      const { concurrency, rateLimit } = states[queue];
      gauge.set({ queue }, concurrency !== null || rateLimit !== null ? 1 : 0);
    }
  },
  emission_fleet_processes: (gauge, { fleet }) => {
    for (const [role, processes] of Object.entries(fleet.processes)) gauge.set({ role }, processes.length);
  },
  emission_fleet_sockets: (gauge, { fleet }) => {
    gauge.set(fleet.sockets);
  },
  emission_fleet_companies: (gauge, { fleet }) => {
    gauge.set(fleet.companies);
  },
} satisfies Partial<Record<MetricName, (gauge: Gauge, reading: Reading) => void>>;

/** Adds gauges of queues and fleet, read at each scrape. If a reading fails they are absent, not stale or zero. */
export function registerFleetGauges({ registry, cacheMs = 1_000, ...deps }: Deps): void {
  const registers = [registry];
  const read = shareFor(cacheMs, () => readOrNothing(deps));
  for (const [name, fill] of Object.entries(GAUGES)) {
    const configuration = configurationOf(name as keyof typeof GAUGES);
    new Gauge({
      ...configuration,
      registers,
      async collect() {
        const reading = await read();
        // reset() alone would leave a 0 for a gauge without labels.
        this.reset();
        if (reading) fill(this, reading);
        else if (configuration.labelNames.length === 0) this.remove();
      },
    });
  }
  new Gauge({
    ...configurationOf('emission_fleet_readable'),
    registers,
    async collect() {
      this.set((await read()) ? 1 : 0);
    },
  });
}

/** `undefined` after an error: emission_fleet_readable shows it; readiness and the flush report its cause. */
async function readOrNothing({
  readQueueDepth,
  readQueueStates,
  readFleet,
  timeoutMs = 1_000,
}: Omit<Deps, 'registry' | 'cacheMs'>): Promise<Reading | undefined> {
  try {
    const all = Promise.all([readQueueDepth(), readQueueStates(), readFleet()]);
    const [depth, states, fleet] = await within(timeoutMs, 'fleet gauges', all);
    return { depth, states, fleet };
  } catch {
    return undefined;
  }
}
