import express, { type Express, type RequestHandler, Router } from 'express';
import { createErrorHandler, type OnFault, problem, sendProblem } from './problem.ts';
import { ADMIN_API_PATH } from './routes/admin-routes.ts';
import { BULL_BOARD_PATH } from './routes/bull-board.ts';
import { EMISSIONS_PATH } from './routes/emission-routes.ts';
import { bullBoardHeaders, ownPageHeaders } from './middleware/page-headers.ts';
import { guardAdminPage } from './middleware/guard-admin-page.ts';
import { servePageFiles } from './page-files.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import { createDocsRoutes } from './docs/docs-routes.ts';
import { requireSameOrigin } from './middleware/same-origin.ts';

/** The internal routes, and the handlers in front of them. */
export interface InternalRoutes {
  /** Checks the API key and the rate limits. */
  requireApiKey: RequestHandler | RequestHandler[];
  logRequests: RequestHandler;
  /** Counts and logs refused emissions. */
  reportRefusals: RequestHandler;
  /** Below `/socket`. */
  emissionRoutes: Router;
  /** `GET /metrics`. */
  readMetrics: RequestHandler;
  /** Called with the cause of each server error. */
  onFault: OnFault;
}

export interface AppDeps extends InternalRoutes {
  requireAdmin: RequestHandler;
  /** Counts refused lists. */
  countRejections: RequestHandler;
  allowOrigins: RequestHandler;
  prometheus: RequestHandler;
  healthRoutes: Router;
  dashboardRoutes: Router;
  bullBoard: RequestHandler;
  adminRoutes: Router;
  /** More routes, before those of the pages. */
  routes?: Router | undefined;
  /** Folder of the built page. */
  pageDir: string;
  /** Described by the documents of the API. */
  model: AppointmentModel;
  /** The path prefix that a proxy in front strips, such as `/calendar`. */
  basePath?: string | undefined;
  /** Further origins that the page may connect to. */
  connectOrigins: readonly string[];
}

/** The route table. */
export function createApp({ basePath = '', ...deps }: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  // Answers are not cached, so they need no hash.
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(deps.logRequests);

  // With the prefix too: a statusUrl then works for callers that do not come through the proxy.
  const emissionPaths = [...new Set([EMISSIONS_PATH, `${basePath}${EMISSIONS_PATH}`])];
  app.use(emissionPaths, deps.reportRefusals, deps.requireApiKey, deps.emissionRoutes);
  app.use('/api/v1/internal', deps.requireApiKey);
  app.get('/api/v1/internal/metrics', deps.readMetrics);
  app.get('/metrics', deps.requireApiKey, deps.prometheus);
  app.use(deps.healthRoutes);
  app.use('/api/v1/dashboard', deps.countRejections, deps.allowOrigins, deps.dashboardRoutes);

  app.use(BULL_BOARD_PATH, bullBoardHeaders(), deps.requireAdmin, requireSameOrigin, deps.bullBoard);
  app.use(ownPageHeaders(deps.connectOrigins));
  app.use(createDocsRoutes(deps.model, basePath));
  app.use(ADMIN_API_PATH, deps.requireAdmin, requireSameOrigin, deps.adminRoutes);
  app.use(guardAdminPage(deps.requireAdmin));
  if (deps.routes) app.use(deps.routes);
  app.use(servePageFiles(deps.pageDir, basePath));

  app.use(answerNotFound);
  app.use(createErrorHandler(deps.onFault));
  return app;
}

/**
 * The internal routes for an existing application, to be mounted at `/api/v1/internal`. It answers `GET /metrics` and all
 * requests below `/socket`, also errors and unknown routes there, so that the application's error handler sees none of them. Any
 * other request goes on to the application's own routes. It works in Express 4 and 5.
 */
export function createInternalRouter(routes: InternalRoutes): Router {
  const { logRequests, reportRefusals, requireApiKey, emissionRoutes, readMetrics, onFault } = routes;
  const onError = createErrorHandler(onFault);
  const router = Router();
  router.use('/socket', logRequests, reportRefusals, requireApiKey, emissionRoutes, answerNotFound, onError);
  router.get('/metrics', logRequests, requireApiKey, readMetrics, onError);
  return router;
}

const answerNotFound: RequestHandler = (_req, res) => {
  sendProblem(res, problem('ROUTE_NOT_FOUND', 'there is no such route'));
};
