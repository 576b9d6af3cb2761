import { setTimeout as pause } from 'node:timers/promises';
import type { Router } from 'express';
import { type CompanyTurns, createCompanyTurns } from '../access/company-turns.ts';
import type { TakeSnapshots } from '../domain/company-log.ts';
import { createCompanyLog, type CompanyLog } from '../emission/company-log.ts';
import { createReadSnapshots } from '../emission/read-snapshots.ts';
import { createTakeSnapshots } from '../emission/take-snapshots.ts';
import { createDashboardRoutes, type ViewerOfRequest } from '../http/routes/dashboard-routes.ts';
import { createListAppointments } from '../http/routes/list-appointments.ts';
import { createFindInRange } from '../population/find-in-range.ts';
import { createLoadAppointments } from '../population/load-appointments.ts';
import type { Resources } from '../resources/open-resources.ts';

/** What the list route and the gateway's catch-up need. Requests for the same appointment share one read. */
export interface Snapshots {
  companyLog: CompanyLog;
  takeSnapshots: TakeSnapshots;
  turns: CompanyTurns;
}

export function composeSnapshots({
  redis,
  models,
  companyKeys: keys,
  metrics,
  reportDamage,
}: Resources): Snapshots {
  const onLost = (): void => {
    metrics.orderLost('read');
  };
  const load = createLoadAppointments(models);
  const readSnapshots = createReadSnapshots({ redis, keys, load, reportDamage });
  return {
    companyLog: createCompanyLog(redis, { keys, reportDamage }),
    takeSnapshots: createTakeSnapshots({ redis, keys, readSnapshots, pause, onLost }),
    turns: createCompanyTurns(),
  };
}

/** The list of a company's appointments. */
export function composeDashboardRoutes(
  { models }: Resources,
  { companyLog, takeSnapshots, turns }: Snapshots,
  viewerOf: ViewerOfRequest,
): Router {
  return createDashboardRoutes({
    viewerOf,
    turns,
    list: createListAppointments({
      head: companyLog.head,
      findIds: createFindInRange(models),
      takeSnapshots,
    }),
  });
}
