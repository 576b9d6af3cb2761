interface Description {
  type: 'counter' | 'gauge' | 'histogram';
  labels: readonly string[];
  help: string;
}

/** All our metrics. A test compares docs/reference/metrics.md with this list. */
export const PROMETHEUS_METRICS = {
  emission_build_info: {
    type: 'gauge',
    labels: ['version', 'node', 'commit'],
    help: 'Always 1; the versions of this process and of Node.js, and the commit of the build.',
  },
  emission_accepted_total: {
    type: 'counter',
    labels: ['event', 'queue'],
    help: 'Accepted emissions (202).',
  },
  emission_idempotent_repeats_total: {
    type: 'counter',
    labels: [],
    help: 'Emissions of requests with a known Idempotency-Key; not enqueued again.',
  },
  emission_direct_jobs_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Live emissions by where their job runs: direct: in this API; else in a worker.',
  },
  emission_published_total: {
    type: 'counter',
    labels: ['event', 'queue'],
    help: 'Published emissions.',
  },
  emission_unreached_total: {
    type: 'counter',
    labels: [],
    help: 'Published emissions that reached no gateway; not on a Redis Cluster.',
  },
  emission_over_share_total: {
    type: 'counter',
    labels: [],
    help: 'Live emissions above MAX_LIVE_PER_COMPANY_PER_SECOND, moved to the bulk queue.',
  },
  emission_order_losses_total: {
    type: 'counter',
    labels: ['use'],
    help: 'Snapshots read again, since a newer one was confirmed first.',
  },
  emission_published_by_source_total: {
    type: 'counter',
    labels: ['source'],
    help: 'Published emissions by what reported the write.',
  },
  emission_attempt_failures_total: {
    type: 'counter',
    labels: ['event', 'queue'],
    help: 'Failed attempts that are retried.',
  },
  emission_failed_total: {
    type: 'counter',
    labels: ['event', 'queue'],
    help: 'Emissions that failed for good.',
  },
  emission_rejected_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Rejected requests, batch items and sockets, by error code.',
  },
  emission_connections_cut_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Client connections ended by this process.',
  },
  emission_dashboard_connects_total: {
    type: 'counter',
    labels: [],
    help: 'Dashboard connections.',
  },
  emission_dashboard_disconnects_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Dashboard disconnections.',
  },
  emission_catch_ups_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Catch-ups of dashboards.',
  },
  emission_http_request_duration_seconds: {
    type: 'histogram',
    labels: ['route', 'code'],
    help: 'Time from the headers of a request to the end of its response.',
  },
  emission_invalid_data_total: {
    type: 'counter',
    labels: ['kind'],
    help: 'Damaged or foreign data in Redis.',
  },
  emission_sweep_gone_total: {
    type: 'counter',
    labels: [],
    help: 'Deletions emitted by the sweep.',
  },
  emission_stage_duration_seconds: {
    type: 'histogram',
    labels: ['stage'],
    help: 'Duration of a stage.',
  },
  emission_outliers_total: {
    type: 'counter',
    labels: ['stage'],
    help: 'Durations not in the histogram, since a clock is wrong.',
  },
  emission_metrics_flush_failures_total: {
    type: 'counter',
    labels: [],
    help: 'Failed attempts to add counts in Redis.',
  },
  emission_progress_age_seconds: {
    type: 'gauge',
    labels: ['role'],
    help: 'Time since the worker started or ended a job, or the gateway received its canary.',
  },
  emission_canary_round_trip_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Round trip of the last canary.',
  },
  emission_unresolved_references: {
    type: 'gauge',
    labels: ['field'],
    help: 'Appointments of the newest 100 with a reference to a missing document.',
  },
  emission_clock_skew_seconds: {
    type: 'gauge',
    labels: ['server'],
    help: 'Clock of the process minus that of the server.',
  },
  emission_sweep_left_out_rows: {
    type: 'gauge',
    labels: [],
    help: 'Appointments with an unusable field, skipped by the sweep; at most 1,000.',
  },
  emission_capture_owner: {
    type: 'gauge',
    labels: [],
    help: '1 if this process reads the change stream.',
  },
  emission_capture_token_age_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Time since the resume token advanced; usually at most 10 s.',
  },
  emission_capture_changes_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Changes from the change stream.',
  },
  emission_capture_restarts_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Starts of the change stream without a saved token, including the first.',
  },
  emission_queue_jobs: {
    type: 'gauge',
    labels: ['state'],
    help: 'Jobs in all queues. Waiting jobs have the state waiting (live) or prioritized (bulk).',
  },
  emission_shard_jobs: {
    type: 'gauge',
    labels: ['shard', 'state'],
    help: 'Jobs in the queues of a shard; absent if its Redis node does not answer.',
  },
  emission_shard_oldest_waiting_age_seconds: {
    type: 'gauge',
    labels: ['shard'],
    help: 'Age of the next job of a shard; 0 if none waits.',
  },
  emission_queue_oldest_waiting_age_seconds: {
    type: 'gauge',
    labels: ['queue'],
    help: 'Age of the next job; 0 if none waits.',
  },
  emission_queue_paused: {
    type: 'gauge',
    labels: ['queue'],
    help: '1 if the queue is paused.',
  },
  emission_queue_limited: {
    type: 'gauge',
    labels: ['queue'],
    help: '1 if the concurrency or rate of the queue is limited.',
  },
  emission_fleet_processes: {
    type: 'gauge',
    labels: ['role'],
    help: 'Processes with a heartbeat within 15 s.',
  },
  emission_fleet_sockets: {
    type: 'gauge',
    labels: [],
    help: 'Dashboards connected to all gateways.',
  },
  emission_fleet_companies: {
    type: 'gauge',
    labels: [],
    help: 'Companies with a connected dashboard.',
  },
  emission_fleet_readable: {
    type: 'gauge',
    labels: [],
    help: '0 if the queue and fleet gauges are absent, since Redis could not be read.',
  },
  emission_health_warnings: {
    type: 'gauge',
    labels: [],
    help: 'Warnings in /health.',
  },
} as const satisfies Record<string, Description>;

export type MetricName = keyof typeof PROMETHEUS_METRICS;

/** Arguments of prom-client's constructors. */
export function configurationOf(name: MetricName) {
  const { help, labels } = PROMETHEUS_METRICS[name];
  return { name, help, labelNames: [...labels] as string[] };
}
