import type { ApiConfig } from '../config.ts';
import type { AppDeps } from '../http/app.ts';
import { createAdminRoutes } from '../http/routes/admin-routes.ts';
import { createBullBoardRoutes } from '../http/routes/bull-board.ts';
import type { Resources } from '../resources/open-resources.ts';
import type { Acceptance } from './compose-accept.ts';
import { composeRepairs } from './compose-repairs.ts';

/**
 * The routes behind the operator's credentials: Bull Board, and the admin page's figures and repairs.
 * @param warnings  those of `/health`, without the ones that the page derives from its own figures
 */
export function composeOperator(
  { config, redis, queues, models, clock, metrics, reportDamage, logger }: Resources<ApiConfig>,
  { enqueue, yieldToLive }: Pick<Acceptance, 'enqueue' | 'yieldToLive'>,
  warnings: () => Promise<string[]>,
): Pick<AppDeps, 'bullBoard' | 'adminRoutes'> {
  const { failed, repairs } = composeRepairs({
    redis,
    queues,
    models,
    enqueue,
    yieldToLive,
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
        logger.info({ repair, ...report }, 'repair by an operator');
      },
    }),
  };
}
