import { Gauge, type Registry } from 'prom-client';
import type { Fleet } from './fleet.ts';
import { configurationOf } from './prometheus-catalog.ts';
import type { QueuesDepth } from './queue-depth.ts';
import { type QueueStates, restrictionsOf } from './queue-state.ts';
import { shareFor } from './share-for.ts';
import { within } from '../process/lifecycle.ts';

interface Deps {
  registry: Registry;
  readQueueDepth: () => Promise<QueuesDepth>;
  readQueueStates: () => Promise<QueueStates>;
  readFleet: () => Promise<Fleet>;
  /** One reading serves all gauges of a scrape, and scrapes that come close together. */
  cacheMs?: number;
  /** A frozen Redis must not hold up the scrape. */
  timeoutMs?: number;
}

const QUEUES = ['live', 'bulk'] as const;
const QUEUE_STATES = ['waiting', 'prioritized', 'delayed', 'active', 'failed'] as const;

/** Adds gauges of queue and fleet, read at scrape. Unreadable ones are absent rather than stale or zero. */
export function registerFleetGauges(deps: Deps): void {
  const { registry, readQueueDepth, readQueueStates, readFleet, cacheMs = 1_000, timeoutMs = 1_000 } = deps;
  const read = shareFor(cacheMs, async () => {
    const all = Promise.all([readQueueDepth(), readQueueStates(), readFleet()]);
    try {
      const [depth, states, fleet] = await within(timeoutMs, 'fleet gauges', all);
      return { depth, states, fleet };
    } catch {
      // Said by emission_fleet_readable; readiness and the flush report the fault itself.
      return undefined;
    }
  });
  type Reading = NonNullable<Awaited<ReturnType<typeof read>>>;

  function gauge(
    name: Parameters<typeof configurationOf>[0],
    fill: (gauge: Gauge, reading: Reading) => void,
  ) {
    return new Gauge({
      ...configurationOf(name),
      registers: [registry],
      async collect() {
        const reading = await read();
        // reset() alone would leave a 0 where there is no label.
        this.reset();
        if (reading) fill(this, reading);
        else if (configurationOf(name).labelNames.length === 0) this.remove();
      },
    });
  }

  gauge('emission_queue_jobs', (jobs, { depth }) => {
    for (const state of QUEUE_STATES) jobs.set({ state }, depth[state]);
  });
  gauge('emission_queue_oldest_waiting_age_seconds', (age, { depth }) => {
    age.set({ queue: 'live' }, (depth.oldestLiveWaitingAgeMs ?? 0) / 1000);
    age.set({ queue: 'bulk' }, (depth.oldestBulkWaitingAgeMs ?? 0) / 1000);
  });
  gauge('emission_queue_paused', (paused, { states }) => {
    for (const queue of QUEUES) paused.set({ queue }, states[queue].paused ? 1 : 0);
  });
  gauge('emission_queue_limited', (limited, { states }) => {
    for (const queue of QUEUES) {
      const limits = restrictionsOf(states).filter((one) => one.queue === queue && one.kind !== 'paused');
      limited.set({ queue }, limits.length > 0 ? 1 : 0);
    }
  });
  gauge('emission_fleet_processes', (processes, { fleet }) => {
    for (const [role, alive] of Object.entries(fleet.processes)) processes.set({ role }, alive.length);
  });
  gauge('emission_fleet_sockets', (sockets, { fleet }) => {
    sockets.set(fleet.sockets);
  });
  gauge('emission_fleet_companies', (companies, { fleet }) => {
    companies.set(fleet.companies);
  });
  new Gauge({
    ...configurationOf('emission_fleet_readable'),
    registers: [registry],
    async collect() {
      this.set((await read()) ? 1 : 0);
    },
  });
}
