import express, { type Express, type IRouter, type RequestHandler, Router } from 'express';
import { offerErrorPages, offerErrorPagesBelow } from './error-page.ts';
import { createErrorHandler, type OnFault, problem, sendProblem } from './problem.ts';
import { ADMIN_API_PATH } from './routes/admin-routes.ts';
import { BULL_BOARD_PATH } from './routes/bull-board.ts';
import { EMISSIONS_PATH } from './routes/emission-routes.ts';
import { auditBoard, auditPage } from './middleware/audit-changes.ts';
import { bullBoardHeaders, ownPageHeaders } from './middleware/page-headers.ts';
import { guardAdminPage } from './middleware/basic-auth.ts';
import { requireSameOrigin } from './middleware/cross-origin.ts';
import { servePageFiles } from './page-files.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import type { Audit } from '../process/audit.ts';
import { createDocsRoutes } from './docs/docs-routes.ts';

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

/** The routes below `/admin`, and the check of the operator's credentials in front of them. */
export interface OperatorRoutes {
  requireAdmin: RequestHandler;
  /** Writes the audit lines of changes. */
  audit: Audit;
  bullBoard: RequestHandler;
  /** What the page reads, and the repairs. */
  adminRoutes: Router;
}

export interface AppDeps extends InternalRoutes, OperatorRoutes {
  /** Counts refused lists. */
  countRejections: RequestHandler;
  allowOrigins: RequestHandler;
  prometheus: RequestHandler;
  healthRoutes: Router;
  dashboardRoutes: Router;
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

/** Links of an error page. */
const PAGES = [
  { path: '/', text: 'Dashboard' },
  { path: '/admin/', text: 'Operations' },
  { path: '/docs/', text: 'API' },
];

/** The route table. */
export function createApp({ basePath = '', ...deps }: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  // Answers are not cached, so they need no hash.
  app.disable('etag');
  app.set('query parser', 'simple');
  offerErrorPages(app, { basePath, links: PAGES });
  app.use(deps.logRequests);

  // With the prefix too: a statusUrl then works for callers that do not come through the proxy.
  const emissionPaths = [...new Set([EMISSIONS_PATH, `${basePath}${EMISSIONS_PATH}`])];
  app.use(emissionPaths, deps.reportRefusals, deps.requireApiKey, deps.emissionRoutes);
  app.use('/api/v1/internal', deps.requireApiKey);
  app.get('/api/v1/internal/metrics', deps.readMetrics);
  app.get('/metrics', deps.requireApiKey, deps.prometheus);
  app.use(deps.healthRoutes);
  app.use('/api/v1/dashboard', deps.countRejections, deps.allowOrigins, deps.dashboardRoutes);

  addOperatorRoutes(app, deps);
  app.use(createDocsRoutes(deps.model, basePath));
  if (deps.routes) app.use(deps.routes);
  app.use(servePageFiles(deps.pageDir, basePath));

  app.use(answerNotFound);
  app.use(createErrorHandler(deps.onFault));
  return app;
}

/** The routes below `/admin`. The file server may follow: it needs the credentials for its files there, and sends our headers. */
function addOperatorRoutes(
  router: IRouter,
  {
    requireAdmin,
    audit,
    bullBoard,
    adminRoutes,
    connectOrigins,
  }: OperatorRoutes & Pick<AppDeps, 'connectOrigins'>,
): void {
  const guard = [requireAdmin, requireSameOrigin];
  router.use(BULL_BOARD_PATH, bullBoardHeaders(), auditBoard(audit), guard, bullBoard);
  router.use(ownPageHeaders(connectOrigins));
  router.use(ADMIN_API_PATH, auditPage(audit), guard, adminRoutes);
  router.use(guardAdminPage(requireAdmin));
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

/**
 * The list route for an existing application, to be mounted at `/api/v1/dashboard`. It answers `GET /appointments`, also with
 * errors; any other request goes on to the application's own routes. It works in Express 4 and 5.
 */
export function createDashboardRouter({
  logRequests,
  countRejections,
  dashboardRoutes,
  onFault,
}: Pick<AppDeps, 'logRequests' | 'countRejections' | 'dashboardRoutes' | 'onFault'>): Router {
  const router = Router();
  router.get('/appointments', logRequests, countRejections);
  router.use(dashboardRoutes);
  router.use('/appointments', createErrorHandler(onFault));
  return router;
}

export interface AdminRouterDeps
  extends OperatorRoutes, Pick<AppDeps, 'logRequests' | 'onFault' | 'pageDir' | 'basePath'> {
  /** Such as `/emissions`. */
  path: string;
}

/** The page's own files. It shares the others with the calendar page, which an existing application has itself. */
const OPERATOR_FILES = /^\/(?:admin(?:\/|$)|(?:base|error)\.css$|icon\.svg$)/;
const OPERATOR_PAGES = PAGES.filter((page) => page.path === '/admin/');
/** Links of the operator's page to pages that an existing application does not serve. */
const LINKS_LEFT_OUT = ['/docs', '/'];

/**
 * The operator's page for an existing application, with its API and Bull Board, below `path`: `/emissions/admin/`. It answers all
 * requests below `path` itself, also errors and unknown routes, except if it is mounted wrongly. It works in Express 4 and 5.
 */
export function createAdminRouter({ path, pageDir, basePath = '', ...deps }: AdminRouterDeps): Router {
  const servePage = servePageFiles(pageDir, `${basePath}${path}`, LINKS_LEFT_OUT);
  const below = Router();
  below.use(
    deps.logRequests,
    offerErrorPagesBelow({ basePath: `${basePath}${path}`, links: OPERATOR_PAGES }),
  );
  addOperatorRoutes(below, { ...deps, connectOrigins: [] });
  below.use((req, res, next) => {
    if (OPERATOR_FILES.test(req.path)) return servePage(req, res, next);
    next();
  });
  below.use(answerNotFound);
  below.use(createErrorHandler(deps.onFault));
  return Router().use(path, requireOwnMount(basePath, path), below);
}

/**
 * The pages name their files by the path that the browser sees. If the router is mounted below another one, each of them would
 * be missing. The error goes to the application's own error handler.
 */
function requireOwnMount(basePath: string, path: string): RequestHandler {
  return ({ baseUrl }, _res, next) => {
    const mount = baseUrl.slice(0, baseUrl.length - path.length);
    if (basePath.toLowerCase().endsWith(mount.toLowerCase())) next();
    else {
      next(
        new Error(
          `adminRouter is mounted at ${mount}: mount it without a path, as app.use(emissions.adminRouter({ path: '${mount}' })), ` +
            'or set BASE_PATH',
        ),
      );
    }
  };
}

const answerNotFound: RequestHandler = (_req, res) => {
  sendProblem(res, problem('ROUTE_NOT_FOUND', 'there is no such route'));
};
