import type { CoreConfig, OperatorConfig } from '../config.ts';
import type { OperatorRoutes } from '../http/app.ts';
import { createAdminRoutes } from '../http/routes/admin-routes.ts';
import { createBullBoardRoutes } from '../http/routes/bull-board.ts';
import { createListCompanies } from '../population/list-companies.ts';
import { createAudit } from '../process/audit.ts';
import type { Disconnects } from '../realtime/disconnects.ts';
import type { Resources } from '../resources/open-resources.ts';
import type { Acceptance } from './compose-accept.ts';
import { composeOperatorAccess } from './compose-access.ts';
import { composeRepairs } from './compose-repairs.ts';

export interface OperatorOptions {
  settings: OperatorConfig;
  /** The path prefix of all routes, as browsers see it. */
  basePath: string | undefined;
  /** Those of `/health`, without the ones that the page derives from its own figures. */
  warnings: () => Promise<string[]>;
  disconnects: Pick<Disconnects, 'request'>;
}

/** The operator's credentials, and the routes behind them: Bull Board, and the admin page's figures and repairs. */
export function composeOperator(
  resources: Resources<CoreConfig>,
  { enqueue, pacer }: Pick<Acceptance, 'enqueue' | 'pacer'>,
  { settings, basePath, warnings, disconnects }: OperatorOptions,
): OperatorRoutes {
  const { redis, shards, models, clock, metrics, reportDamage, logger } = resources;
  const audit = createAudit(logger);
  const { failed, repairs } = composeRepairs({
    redis,
    shards,
    models,
    enqueue,
    pacer,
    now: clock.now,
    reportDamage,
  });
  return {
    requireAdmin: composeOperatorAccess(resources, settings),
    audit,
    bullBoard: createBullBoardRoutes(shards.each, basePath),
    adminRoutes: createAdminRoutes({
      read: metrics.read,
      series: metrics.series,
      warnings,
      latestFailures: failed.latest,
      companies: createListCompanies(models),
      repairs: { ...repairs, disconnect: disconnects.request },
      audit,
    }),
  };
}
