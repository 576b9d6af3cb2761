import type { Express, Router } from 'express';
import type { ApiConfig } from '../config.ts';
import { createApp } from '../http/app.ts';
import { allowOrigins } from '../http/middleware/cross-origin.ts';
import { reportRefusals } from '../http/middleware/report-refusals.ts';
import { viewerOfToken } from '../http/routes/dashboard-routes.ts';
import { checkMongo, checkRedis } from '../http/routes/health-checks.ts';
import { createHealthRoutes, type HealthDeps, servePrometheus } from '../http/routes/monitoring-routes.ts';
import type { Disconnects } from '../realtime/disconnects.ts';
import type { Resources } from '../resources/open-resources.ts';
import { type Acceptance, composeInternalRoutes } from './compose-accept.ts';
import type { Access } from './compose-access.ts';
import { composeOperator } from './compose-operator.ts';
import { composeDashboardRoutes, type Snapshots } from './compose-snapshots.ts';
import { composeWarnings } from './compose-warnings.ts';

export interface ComposeAppDeps extends Pick<HealthDeps, 'isDraining' | 'isAlive'> {
  resources: Resources<ApiConfig>;
  acceptance: Acceptance;
  access: Access;
  snapshots: Snapshots;
  disconnects: Pick<Disconnects, 'request'>;
  /** Folder of the built pages. */
  pageDir: string;
  /** More routes, before those of the pages. */
  routes?: Router | undefined;
  /** Origins, besides its own, that the pages may connect to. */
  connectOrigins?: readonly string[] | undefined;
}

/** The Express application, with all routes. */
export function composeApp(deps: ComposeAppDeps): Express {
  const { resources, acceptance, access, snapshots } = deps;
  const { config, redis, mongo, shards, models, metrics } = resources;
  const warnings = composeWarnings(resources);
  return createApp({
    ...composeInternalRoutes(resources, acceptance, access.requireApiKey),
    model: models.model,
    countRejections: reportRefusals(metrics.reject),
    allowOrigins: allowOrigins(config.CORS_ORIGIN),
    prometheus: servePrometheus(metrics.registry),
    healthRoutes: createHealthRoutes({
      checks: {
        mongodb: checkMongo(mongo.connection),
        redis: checkRedis(redis, () => shards.all().map(({ live }) => live.toKey('meta'))),
      },
      warnings: warnings.all,
      isDraining: deps.isDraining,
      isAlive: deps.isAlive,
    }),
    dashboardRoutes: composeDashboardRoutes(resources, snapshots, viewerOfToken(access.verifyList)),
    ...composeOperator(resources, acceptance, {
      settings: config,
      basePath: config.BASE_PATH,
      warnings: warnings.beyondFigures,
      disconnects: deps.disconnects,
    }),
    routes: deps.routes,
    pageDir: deps.pageDir,
    basePath: config.BASE_PATH,
    connectOrigins: deps.connectOrigins ?? [],
  });
}
