import type { RequestHandler } from 'express';
import { type Acceptance, composeInternalRoutes } from '../api/compose-accept.ts';
import { composeServiceAccess } from '../api/compose-access.ts';
import { composeOperator, type OperatorOptions } from '../api/compose-operator.ts';
import { composeDashboardRoutes, type Snapshots } from '../api/compose-snapshots.ts';
import { type EmbeddedConfig, type Environment, loadOperatorConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import { createAdminRouter, createDashboardRouter, createInternalRouter } from '../http/app.ts';
import { reportRefusals } from '../http/middleware/report-refusals.ts';
import { builtPages } from '../http/page-files.ts';
import type { CompanyOfRequest } from '../http/routes/dashboard-routes.ts';
import { toCompanyId } from '../realtime/admit-sockets.ts';
import type { Resources } from '../resources/open-resources.ts';
import { checkCompanyOf, readAdminPath } from './check-options.ts';
import type { Emissions, Middleware } from './options.ts';

export interface RoutersDeps extends Pick<OperatorOptions, 'warnings'> {
  resources: Resources<EmbeddedConfig>;
  acceptance: Acceptance;
  snapshots: Snapshots;
  /** As the application gave them: those of the operator's page are read if it asks for that page. */
  settings: Environment;
}

/** The routers for the application's Express. They are composed of the parts of the stand-alone API. */
export function createRouters({
  resources,
  acceptance,
  snapshots,
  warnings,
  settings,
}: RoutersDeps): Pick<Emissions, 'router' | 'dashboardRouter' | 'adminRouter'> {
  const { requireApiKey } = composeServiceAccess(resources);
  const internal = composeInternalRoutes(resources, acceptance, requireApiKey);
  const { logRequests, onFault } = internal;
  return {
    router: toMiddleware(createInternalRouter(internal)),

    dashboardRouter(options) {
      checkCompanyOf(options, '(req) => req.user.companyId');
      const companyOf = companyOfLogin(options.companyOf as CompanyOf);
      return toMiddleware(
        createDashboardRouter({
          logRequests,
          countRejections: reportRefusals(resources.metrics.reject),
          dashboardRoutes: composeDashboardRoutes(resources, snapshots, companyOf),
          onFault,
        }),
      );
    },

    adminRouter(options = {}) {
      const path = readAdminPath(options);
      const { BASE_PATH: basePath = '' } = resources.config;
      const operator = composeOperator(resources, acceptance, {
        settings: loadOperatorConfig(settings),
        basePath: `${basePath}${path}`,
        warnings,
      });
      return toMiddleware(
        createAdminRouter({ ...operator, path, basePath, pageDir: builtPages(), logRequests, onFault }),
      );
    },
  };
}

type CompanyOf = (request: unknown) => unknown;

function companyOfLogin(companyOf: CompanyOf): CompanyOfRequest {
  return async (request) => {
    const companyId = toCompanyId(await companyOf(request));
    if (companyId === undefined) throw new AppError('TOKEN_INVALID', 'this login names no company');
    return companyId;
  };
}

/** Express' types describe its own request; every version of it adds the same methods. */
function toMiddleware(router: RequestHandler): Middleware {
  return router as unknown as Middleware;
}
