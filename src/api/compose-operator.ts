import { composeRepairs } from './compose-repairs.ts';
import type { ApiConfig } from '../config.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import type { RedisClient } from '../redis/connect.ts';
import { createAdminRoutes } from '../http/routes/admin-routes.ts';
import { createBullBoardRoutes } from '../http/routes/bull-board.ts';
import type { Logger } from '../process/logger.ts';
import type { FleetMetrics } from '../metrics/fleet-metrics.ts';
import type { Models } from '../population/models.ts';
import type { EmissionQueues } from '../queue/open-queues.ts';
import type { Enqueue } from '../queue/producer.ts';
import type { SharedClock } from '../redis/shared-clock.ts';

export interface ComposeOperatorDeps {
  config: ApiConfig;
  redis: RedisClient;
  queues: EmissionQueues;
  models: Models;
  enqueue: Enqueue;
  letLiveFirst: () => Promise<void>;
  clock: SharedClock;
  metrics: FleetMetrics;
  /** Those of `/health`, without what the page's own figures say. */
  warnings: () => Promise<string[]>;
  reportDamage: ReportDamage;
  logger: Logger;
}

/** What stands behind the operator's credentials: Bull Board, the admin page's figures, the repairs. */
export function composeOperator({
  config,
  redis,
  queues,
  models,
  enqueue,
  letLiveFirst,
  clock,
  metrics,
  warnings,
  reportDamage,
  logger,
}: ComposeOperatorDeps) {
  const { failed, repairs } = composeRepairs({
    redis,
    queues,
    models,
    enqueue,
    letLiveFirst,
    now: clock.now,
    reportDamage,
  });
  return {
    bullBoard: createBullBoardRoutes(queues, { writes: config.ADMIN_WRITES, basePath: config.BASE_PATH }),
    adminRoutes: createAdminRoutes({
      read: metrics.read,
      series: metrics.series,
      warnings,
      latestFailures: failed.latest,
      repairs,
      writes: config.ADMIN_WRITES,
      onRepair: (repair, report) => {
        logger.info({ repair, ...report }, 'an operator repairs');
      },
    }),
  };
}
