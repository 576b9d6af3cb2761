import { Histogram, type Registry } from 'prom-client';
import { configurationOf } from './prometheus-catalog.ts';

export interface HttpMetrics {
  /**
   * Counts an answered request.
   * @param route  a path of the code's own, never the path of the request: it becomes a label value
   * @param code  HTTP status
   */
  answered: (route: string, code: number, ms: number) => void;
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
  };
}
