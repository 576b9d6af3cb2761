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
    help: 'Always 1. Versions of this process and of Node.js; the commit, if the build knew it.',
  },
  emission_accepted_total: {
    type: 'counter',
    labels: ['event', 'queue'],
    help: 'Emissions accepted by this process (202).',
  },
  emission_idempotent_repeats_total: {
    type: 'counter',
    labels: [],
    help: 'Emissions of repeated requests: the Idempotency-Key was known, so nothing was enqueued.',
  },
  emission_direct_jobs_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Live emissions by where their job runs: direct is in this API, the others leave it to a worker.',
  },
  emission_published_total: {
    type: 'counter',
    labels: ['event', 'queue'],
    help: 'Emissions published by this process.',
  },
  emission_unreached_total: {
    type: 'counter',
    labels: [],
    help: 'Published emissions that reached no gateway; not counted on a Redis Cluster.',
  },
  emission_over_share_total: {
    type: 'counter',
    labels: [],
    help: 'Live emissions moved to the bulk queue by MAX_LIVE_PER_COMPANY_PER_SECOND.',
  },
  emission_order_losses_total: {
    type: 'counter',
    labels: ['use'],
    help: 'Snapshots that were read again, because a newer snapshot of the appointment was confirmed first.',
  },
  emission_published_by_source_total: {
    type: 'counter',
    labels: ['source'],
    help: 'Emissions published by this process, by what reported the write: call, capture or sweep.',
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
    help: 'Client connections that this process ended, by reason.',
  },
  emission_dashboard_connects_total: {
    type: 'counter',
    labels: [],
    help: 'Dashboards that connected to this gateway.',
  },
  emission_dashboard_disconnects_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Dashboards that disconnected from this gateway, by reason.',
  },
  emission_catch_ups_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Catch-ups of dashboards, by result.',
  },
  emission_http_request_duration_seconds: {
    type: 'histogram',
    labels: ['route', 'code'],
    help: 'Time from the headers of an HTTP request to the end of its response, by route and status code.',
  },
  emission_invalid_data_total: {
    type: 'counter',
    labels: ['kind'],
    help: 'Damaged or foreign data in Redis, by kind.',
  },
  emission_sweep_gone_total: {
    type: 'counter',
    labels: [],
    help: 'Deletions emitted by the sweep of this process.',
  },
  emission_stage_duration_seconds: {
    type: 'histogram',
    labels: ['stage'],
    help: 'Duration by stage.',
  },
  emission_outliers_total: {
    type: 'counter',
    labels: ['stage'],
    help: 'Durations left out of the histogram because a clock is wrong.',
  },
  emission_metrics_flush_failures_total: {
    type: 'counter',
    labels: [],
    help: 'Failed attempts to add counts in Redis.',
  },
  emission_progress_age_seconds: {
    type: 'gauge',
    labels: ['role'],
    help: 'Time since this worker started or ended a job, or this gateway received its canary.',
  },
  emission_canary_round_trip_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Round trip of the last canary of this gateway.',
  },
  emission_unresolved_references: {
    type: 'gauge',
    labels: ['field'],
    help: 'Appointments among the newest 100 whose reference in this field has no document.',
  },
  emission_clock_skew_seconds: {
    type: 'gauge',
    labels: ['server'],
    help: 'Clock of this process minus that of the server.',
  },
  emission_sweep_left_out_rows: {
    type: 'gauge',
    labels: [],
    help: 'Appointments skipped by the sweep because of an unusable field; at most 1,000.',
  },
  emission_capture_owner: {
    type: 'gauge',
    labels: [],
    help: '1 if this process reads the change stream.',
  },
  emission_capture_token_age_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Time since the saved resume token advanced; on a replica set at most about 10 s.',
  },
  emission_capture_changes_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Changes from the change stream, by result.',
  },
  emission_capture_restarts_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Starts of the change stream at the present instead of a saved token, the first one included.',
  },
  emission_queue_jobs: {
    type: 'gauge',
    labels: ['state'],
    help: 'Jobs in all queues, by state. Waiting jobs: waiting in live queues, prioritized in bulk queues.',
  },
  emission_shard_jobs: {
    type: 'gauge',
    labels: ['shard', 'state'],
    help: 'Jobs in the queues of a shard, by state; absent if its Redis node does not answer.',
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
    help: '1 if a script limited the concurrency or rate of the queue.',
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
    help: '0 if the queue and fleet gauges could not be read and are absent, else 1.',
  },
  emission_health_warnings: {
    type: 'gauge',
    labels: [],
    help: 'Warnings in /health of this API.',
  },
} as const satisfies Record<string, Description>;

export type MetricName = keyof typeof PROMETHEUS_METRICS;

/** Arguments of prom-client's constructors. */
export function configurationOf(name: MetricName) {
  const { help, labels } = PROMETHEUS_METRICS[name];
  return { name, help, labelNames: [...labels] as string[] };
}
