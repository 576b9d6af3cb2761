interface Description {
  type: 'counter' | 'gauge' | 'histogram';
  labels: readonly string[];
  help: string;
}

/** All our metrics. A test compares docs/reference/metrics.md with this list. */
export const PROMETHEUS_METRICS = {
  emission_accepted_total: {
    type: 'counter',
    labels: ['event'],
    help: 'Emissions that this process accepted: it enqueued a job and replied 202.',
  },
  emission_published_total: {
    type: 'counter',
    labels: ['event'],
    help: 'Emissions that this process published to the gateways.',
  },
  emission_attempt_failures_total: {
    type: 'counter',
    labels: ['event'],
    help: 'Failed attempts of this process that are followed by another attempt.',
  },
  emission_failed_total: {
    type: 'counter',
    labels: ['event'],
    help: 'Emissions that failed for good in this process; they are among the failed jobs.',
  },
  emission_rejected_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Requests, batch items and sockets that this process rejected, by error code.',
  },
  emission_connections_cut_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Client connections that this process ended, by reason.',
  },
  emission_invalid_data_total: {
    type: 'counter',
    labels: ['kind'],
    help: 'Data in Redis that this process could not parse, by kind: damaged, or written by another program.',
  },
  emission_stage_duration_seconds: {
    type: 'histogram',
    labels: ['stage'],
    help: 'Duration by stage: accept, wait, load, publish, total, browser; bulk is the total of the bulk queue.',
  },
  emission_outliers_total: {
    type: 'counter',
    labels: ['stage'],
    help: 'Durations left out of the histogram: below -1 s or above one day. A clock is wrong.',
  },
  emission_metrics_flush_failures_total: {
    type: 'counter',
    labels: [],
    help: 'Failed attempts to add the counts of this process to those of the fleet in Redis. They are repeated.',
  },
  emission_progress_age_seconds: {
    type: 'gauge',
    labels: ['role'],
    help: 'Time since this worker started or finished a job, or since this gateway received its canary.',
  },
  emission_canary_round_trip_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Round trip of the last canary: from this gateway through queue, worker and Redis to its own socket.',
  },
  emission_unresolved_references: {
    type: 'gauge',
    labels: ['field'],
    help: 'Number of the 100 newest appointments whose reference in this field has no document in their company.',
  },
  emission_clock_skew_seconds: {
    type: 'gauge',
    labels: ['server'],
    help: 'Clock of this process minus the clock of redis or mongodb; negative if this process is behind.',
  },
  emission_sweep_left_out_rows: {
    type: 'gauge',
    labels: [],
    help: 'Appointments that the sweep of this process skips because of an unusable field; at most 1,000.',
  },
  emission_queue_jobs: {
    type: 'gauge',
    labels: ['state'],
    help: 'Jobs in both queues: waiting, prioritized, delayed, active, failed. Every process reports the same.',
  },
  emission_queue_oldest_waiting_age_seconds: {
    type: 'gauge',
    labels: ['queue'],
    help: 'Age of the next job of the live or bulk queue; 0 if no job waits. Every process reports the same.',
  },
  emission_queue_paused: {
    type: 'gauge',
    labels: ['queue'],
    help: '1 if the queue is paused, by Bull Board or a script, so that its jobs wait; else 0. Every process reports the same.',
  },
  emission_queue_limited: {
    type: 'gauge',
    labels: ['queue'],
    help: '1 if a script set a global limit of concurrency or rate on the queue; else 0. Every process reports the same.',
  },
  emission_fleet_processes: {
    type: 'gauge',
    labels: ['role'],
    help: 'Processes with a heartbeat within 15 s: api, gateway, worker. Every process reports the same.',
  },
  emission_fleet_sockets: {
    type: 'gauge',
    labels: [],
    help: 'Dashboards connected to all gateways. Every process reports the same.',
  },
  emission_fleet_companies: {
    type: 'gauge',
    labels: [],
    help: 'Companies with a connected dashboard. Every process reports the same.',
  },
  emission_fleet_readable: {
    type: 'gauge',
    labels: [],
    help: '1 if the queue and fleet gauges could be read for this scrape; else 0, and they are absent.',
  },
  emission_health_warnings: {
    type: 'gauge',
    labels: [],
    help: 'Warnings in /health of this API process. Only API processes have it.',
  },
} as const satisfies Record<string, Description>;

export type MetricName = keyof typeof PROMETHEUS_METRICS;

/** Arguments of prom-client's constructors. */
export function configurationOf(name: MetricName) {
  const { help, labels } = PROMETHEUS_METRICS[name];
  return { name, help, labelNames: [...labels] as string[] };
}
