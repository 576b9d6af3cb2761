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
  /** A frozen Redis must not block the scrape. Longer than a command waits, so that a shard that is down does not hide the others. */
  timeoutMs?: number;
}

/** Undefined: could not be read. */
interface Reading {
  depth: QueuesDepth | undefined;
  states: QueueStates | undefined;
  fleet: Fleet | undefined;
}

const JOB_STATES = ['waiting', 'prioritized', 'delayed', 'active', 'failed'] as const;

type Fill = (gauge: Gauge, reading: Reading) => void;

/** Sets a gauge from a part of the reading, if that could be read. */
const from =
  <Part extends keyof Reading>(
    part: Part,
    fill: (gauge: Gauge, value: NonNullable<Reading[Part]>) => void,
  ): Fill =>
  (gauge, reading) => {
    const value = reading[part];
    if (value) fill(gauge, value);
  };

/** Sets each gauge from one reading. */
const GAUGES = {
  emission_queue_jobs: from('depth', (gauge, depth) => {
    for (const state of JOB_STATES) gauge.set({ state }, depth[state]);
  }),
  emission_shard_jobs: from('depth', (gauge, { shards }) => {
    for (const { shard, jobs } of shards)
      for (const [state, count] of Object.entries(jobs ?? {})) gauge.set({ shard, state }, Number(count));
  }),
  emission_shard_oldest_waiting_age_seconds: from('depth', (gauge, { shards }) => {
    for (const { shard, jobs, oldestWaitingAgeMs } of shards)
      if (jobs) gauge.set({ shard }, (oldestWaitingAgeMs ?? 0) / 1000);
  }),
  emission_queue_oldest_waiting_age_seconds: from('depth', (gauge, depth) => {
    gauge.set({ queue: 'live' }, (depth.oldestLiveWaitingAgeMs ?? 0) / 1000);
    gauge.set({ queue: 'bulk' }, (depth.oldestBulkWaitingAgeMs ?? 0) / 1000);
  }),
  emission_queue_paused: from('states', (gauge, states) => {
    for (const queue of QUEUES) gauge.set({ queue }, states[queue].paused ? 1 : 0);
  }),
  emission_queue_limited: from('states', (gauge, states) => {
    for (const queue of QUEUES) {
      const { concurrency, rateLimit } = states[queue];
      gauge.set({ queue }, concurrency !== null || rateLimit !== null ? 1 : 0);
    }
  }),
  emission_fleet_processes: from('fleet', (gauge, { processes }) => {
    for (const [role, found] of Object.entries(processes)) gauge.set({ role }, found.length);
  }),
  emission_fleet_sockets: from('fleet', (gauge, { sockets }) => {
    gauge.set(sockets);
  }),
  emission_fleet_companies: from('fleet', (gauge, { companies }) => {
    gauge.set(companies);
  }),
} satisfies Partial<Record<MetricName, Fill>>;

/** Adds gauges of queues and fleet, read at each scrape. Those that cannot be read are absent, not stale or zero. */
export function registerFleetGauges({ registry, cacheMs = 1_000, ...deps }: Deps): void {
  const registers = [registry];
  const read = shareFor(cacheMs, () => readParts(deps));
  for (const [name, fill] of Object.entries(GAUGES)) {
    const configuration = configurationOf(name as keyof typeof GAUGES);
    new Gauge({
      ...configuration,
      registers,
      async collect() {
        const reading = await read();
        // reset() would leave a 0 for a gauge without labels.
        this.reset();
        if (configuration.labelNames.length === 0) this.remove();
        fill(this, reading);
      },
    });
  }
  new Gauge({
    ...configurationOf('emission_fleet_readable'),
    registers,
    async collect() {
      this.set(Object.values(await read()).includes(undefined) ? 0 : 1);
    },
  });
}

/** Each part by itself. emission_fleet_readable shows an error; readiness and the flush report its cause. */
async function readParts({
  readQueueDepth,
  readQueueStates,
  readFleet,
  timeoutMs = 1_500,
}: Omit<Deps, 'registry' | 'cacheMs'>): Promise<Reading> {
  const readOrNothing = <T>(read: () => Promise<T>): Promise<T | undefined> =>
    within(timeoutMs, 'fleet gauges', read()).catch(() => undefined);
  const [depth, states, fleet] = await Promise.all([
    readOrNothing(readQueueDepth),
    readOrNothing(readQueueStates),
    readOrNothing(readFleet),
  ]);
  return { depth, states, fleet };
}
