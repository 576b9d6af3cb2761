import { Counter, type Registry } from 'prom-client';
import { CATCH_UP_RESULTS, type CatchUpResult, DISCONNECT_REASONS } from '../domain/dashboard-outcomes.ts';
import { configurationOf } from './prometheus-catalog.ts';

export interface GatewayMetrics {
  dashboardConnected: () => void;
  /** @param reason  of `DISCONNECT_REASONS`; any other one counts as `other` */
  dashboardDisconnected: (reason: string) => void;
  caughtUp: (result: CatchUpResult) => void;
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
