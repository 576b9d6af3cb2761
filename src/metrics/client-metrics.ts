import { Counter, Histogram, type Registry } from 'prom-client';
import { CATCH_UP_RESULTS, type CatchUpResult, DISCONNECT_REASONS } from '../domain/dashboard-outcomes.ts';
import { configurationOf } from './prometheus-catalog.ts';

export interface HttpMetrics {
  /**
   * Counts an answered request.
   * @param route  a path of the code's own, never the path of the request: it becomes a label value
   * @param code  HTTP status
   */
  answered: (route: string, code: number, ms: number) => void;
  /** Starts a series at 0: rate() misses the first request of a series that starts with it. */
  startSeries: (route: string, code: number) => void;
}

export interface GatewayMetrics {
  dashboardConnected: () => void;
  /** @param reason  of `DISCONNECT_REASONS`; any other one counts as `other` */
  dashboardDisconnected: (reason: string) => void;
  caughtUp: (result: CatchUpResult) => void;
}

/** Few: each route has them for each of its status codes. */
const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Metrics of the HTTP requests to this process alone. */
export function registerHttpMetrics(registry: Registry): HttpMetrics {
  const duration = new Histogram({
    ...configurationOf('emission_http_request_duration_seconds'),
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  return {
    answered: (route, code, ms) => {
      duration.observe({ route, code }, ms / 1_000);
    },
    startSeries: (route, code) => {
      duration.zero({ route, code });
    },
  };
}

/** Metrics of the dashboards of this gateway alone. */
export function registerGatewayMetrics(registry: Registry): GatewayMetrics {
  const registers = [registry];
  const connects = new Counter({ ...configurationOf('emission_dashboard_connects_total'), registers });
  const disconnects = new Counter({ ...configurationOf('emission_dashboard_disconnects_total'), registers });
  const catchUps = new Counter({ ...configurationOf('emission_catch_ups_total'), registers });
  for (const reason of DISCONNECT_REASONS) disconnects.inc({ reason }, 0);
  for (const result of CATCH_UP_RESULTS) catchUps.inc({ result }, 0);
  const known: ReadonlySet<string> = new Set(DISCONNECT_REASONS);
  return {
    dashboardConnected: () => {
      connects.inc();
    },
    dashboardDisconnected: (reason) => {
      disconnects.inc({ reason: known.has(reason) ? reason : 'other' });
    },
    caughtUp: (result) => {
      catchUps.inc({ result });
    },
  };
}
