interface Description {
  type: 'counter' | 'gauge' | 'histogram';
  labels: readonly string[];
  help: string;
}

/** Every metric of ours, once: the code makes them from here, and docs/reference/metrics.md is compared with it by a test. */
export const PROMETHEUS_METRICS = {
  emission_accepted_total: {
    type: 'counter',
    labels: ['event'],
    help: 'Emissions accepted by this process: answered with 202 and kept in the queue.',
  },
  emission_published_total: {
    type: 'counter',
    labels: ['event'],
    help: 'Emissions published to the gateways by this process.',
  },
  emission_attempt_failures_total: {
    type: 'counter',
    labels: ['event'],
    help: 'Attempts by this process that failed and will be tried again.',
  },
  emission_failed_total: {
    type: 'counter',
    labels: ['event'],
    help: 'Emissions that this process gave up: they stand among the failed jobs.',
  },
  emission_rejected_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Requests, items of batches and sockets turned away by this process, by error code.',
  },
  emission_connections_cut_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Connections of clients that this process ended, by reason.',
  },
  emission_invalid_data_total: {
    type: 'counter',
    labels: ['kind'],
    help: 'Data in Redis that this process could not understand, by kind: written by another program, or damaged.',
  },
  emission_stage_duration_seconds: {
    type: 'histogram',
    labels: ['stage'],
    help: 'Time spent by stage: accept, wait, load, publish, total, browser; bulk of what nobody waits for.',
  },
  emission_outliers_total: {
    type: 'counter',
    labels: ['stage'],
    help: 'Durations that were not observed: negative by more than a second, or longer than a day. A clock is wrong.',
  },
  emission_metrics_flush_failures_total: {
    type: 'counter',
    labels: [],
    help: 'Attempts to add this process’ counts to the fleet’s in Redis that failed; nothing is lost by one.',
  },
  emission_progress_age_seconds: {
    type: 'gauge',
    labels: ['role'],
    help: 'Time since this worker took up or ended a job, or since this gateway heard its canary.',
  },
  emission_canary_round_trip_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Time that the last canary took from this gateway through queue, worker and Redis to its own socket.',
  },
  emission_unresolved_references: {
    type: 'gauge',
    labels: ['field'],
    help: 'Of the 100 newest appointments, those whose reference in this field names no document of their company.',
  },
  emission_clock_skew_seconds: {
    type: 'gauge',
    labels: ['server'],
    help: 'By how much the clock of this process is ahead of that of redis or mongodb; negative where it is behind.',
  },
  emission_sweep_left_out_rows: {
    type: 'gauge',
    labels: [],
    help: 'Appointments that the sweep of this process leaves out, since a field of theirs is unusable; at most 1,000.',
  },
  emission_queue_jobs: {
    type: 'gauge',
    labels: ['state'],
    help: 'Jobs in both queues: waiting, prioritized, delayed, active, failed. The same from every process.',
  },
  emission_queue_oldest_waiting_age_seconds: {
    type: 'gauge',
    labels: ['queue'],
    help: 'Age of the job next in line, of live bookings or in bulk; 0 when none waits. The same from every process.',
  },
  emission_queue_paused: {
    type: 'gauge',
    labels: ['queue'],
    help: '1 while a queue is paused, by Bull Board or a script: its jobs wait; else 0. The same from every process.',
  },
  emission_queue_limited: {
    type: 'gauge',
    labels: ['queue'],
    help: '1 while a queue has a global limit of concurrency or rate, set by a script; else 0. The same from every process.',
  },
  emission_fleet_processes: {
    type: 'gauge',
    labels: ['role'],
    help: 'Processes heard of within 15 s: api, gateway, worker. The same from every process.',
  },
  emission_fleet_sockets: {
    type: 'gauge',
    labels: [],
    help: 'Dashboards connected to all gateways. The same from every process.',
  },
  emission_fleet_companies: {
    type: 'gauge',
    labels: [],
    help: 'Distinct companies with a dashboard connected. The same from every process.',
  },
  emission_fleet_readable: {
    type: 'gauge',
    labels: [],
    help: '1 when the queue and fleet gauges could be read for this scrape; else 0, and they are absent.',
  },
  emission_health_warnings: {
    type: 'gauge',
    labels: [],
    help: 'Warnings in /health of this API process: what is wrong though it is ready. Only API processes have it.',
  },
} as const satisfies Record<string, Description>;

type MetricName = keyof typeof PROMETHEUS_METRICS;

/** What prom-client's constructors want to know. */
export function configurationOf(name: MetricName) {
  const { help, labels } = PROMETHEUS_METRICS[name];
  return { name, help, labelNames: [...labels] as string[] };
}
