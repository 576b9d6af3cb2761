import type { RequestHandler } from 'express';
import { createParseScope, readScope, type ScopeOf } from '../access/read-scope.ts';
import { type Acceptance, composeInternalRoutes } from '../api/compose-accept.ts';
import { composeServiceAccess } from '../api/compose-access.ts';
import { composeOperator, type OperatorOptions } from '../api/compose-operator.ts';
import { composeDashboardRoutes, type Snapshots } from '../api/compose-snapshots.ts';
import { type EmbeddedConfig, type Environment, loadOperatorConfig } from '../config.ts';
import type { ViewerScope } from '../domain/scope.ts';
import { AppError } from '../errors.ts';
import { createAdminRouter, createDashboardRouter, createInternalRouter } from '../http/app.ts';
import { reportRefusals } from '../http/middleware/report-refusals.ts';
import { builtPages } from '../http/page-files.ts';
import type { ViewerOfRequest } from '../http/routes/dashboard-routes.ts';
import { createThrottledLog } from '../process/throttled-log.ts';
import { toCompanyId } from '../realtime/admit-sockets.ts';
import type { Resources } from '../resources/open-resources.ts';
import { checkRouter, readAdminPath } from './check-options.ts';
import type { Emissions, Middleware } from './options.ts';

export interface RoutersDeps extends Pick<OperatorOptions, 'warnings' | 'disconnects'> {
  resources: Resources<EmbeddedConfig>;
  acceptance: Acceptance;
  snapshots: Snapshots;
  /** As the application gave them: those of the operator's page are read if it asks for that page. */
  settings: Environment;
  /** Whether sockets may have scopes. A list without one would then show what sockets must not see. */
  hasScopes: () => boolean;
}

/** The routers for the application's Express. They are composed of the parts of the stand-alone API. */
export function createRouters({
  resources,
  acceptance,
  snapshots,
  warnings,
  settings,
  hasScopes,
  disconnects,
}: RoutersDeps): Pick<Emissions, 'router' | 'dashboardRouter' | 'adminRouter'> {
  const { requireApiKey } = composeServiceAccess(resources);
  const internal = composeInternalRoutes(resources, acceptance, requireApiKey);
  const { logRequests, onFault } = internal;
  return {
    router: toMiddleware(createInternalRouter(internal)),

    dashboardRouter(options) {
      checkRouter(options);
      const { companyOf, scopeOf = requireNoScopes(hasScopes) } = options as LoginOptions;
      const notRead = createThrottledLog(resources.logger, 'scope not read');
      const onScopeFault = (error: unknown): void => {
        notRead({}, error);
      };
      const parseScope = createParseScope(resources.models.model);
      const reading = { scopeOf, parseScope, onFault: onScopeFault };
      const viewerOf = viewerOfLogin(companyOf, (request) => readScope(reading, request));
      return toMiddleware(
        createDashboardRouter({
          logRequests,
          countRejections: reportRefusals(resources.metrics.reject),
          dashboardRoutes: composeDashboardRoutes(resources, snapshots, viewerOf),
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
        disconnects,
      });
      return toMiddleware(
        createAdminRouter({ ...operator, path, basePath, pageDir: builtPages(), logRequests, onFault }),
      );
    },
  };
}

interface LoginOptions {
  companyOf: (request: unknown) => unknown;
  scopeOf?: ScopeOf<unknown>;
}

/** In place of a `scopeOf` that is not given. */
function requireNoScopes(hasScopes: () => boolean): ScopeOf<unknown> {
  return () => {
    if (hasScopes())
      throw new AppError('SCOPE_INVALID', 'sockets have scopes: give dashboardRouter a scopeOf too');
    return undefined;
  };
}

function viewerOfLogin(
  companyOf: LoginOptions['companyOf'],
  scopeOf: (request: unknown) => Promise<ViewerScope | undefined>,
): ViewerOfRequest {
  return async (request) => {
    const companyId = toCompanyId(await companyOf(request));
    if (companyId === undefined) throw new AppError('TOKEN_INVALID', 'the login has no company');
    return { companyId, scope: await scopeOf(request) };
  };
}

/** Express' types describe its own request; every version of it adds the same methods. */
function toMiddleware(router: RequestHandler): Middleware {
  return router as unknown as Middleware;
}
