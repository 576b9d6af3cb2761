import express, { type Express, type RequestHandler, type Router } from 'express';
import helmet from 'helmet';
import { problem, createErrorHandler, sendProblem } from './problem.ts';
import { EMISSIONS_PATH } from './emission-routes.ts';

export interface AppDeps {
  requireApiKey: RequestHandler;
  requireAdmin: RequestHandler;
  logRequests: RequestHandler;
  emissionRoutes: Router;
  metricsRoutes: Router;
  prometheus: RequestHandler;
  healthRoutes: Router;
  dashboardRoutes: Router;
  bullBoard: RequestHandler;
  /** Exists only when `npm start` made the secrets itself. */
  demoRoutes?: Router | undefined;
  /** Folder of the built page. */
  pageDir: string;
  /** Further origins that the page may connect to. */
  connectOrigins: readonly string[];
  onFault: (error: unknown, path: string) => void;
}

/** The route table. */
export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(deps.healthRoutes);
  app.use(deps.logRequests);

  app.use(EMISSIONS_PATH, deps.requireApiKey, deps.emissionRoutes);
  app.use('/api/v1/internal', deps.requireApiKey, deps.metricsRoutes);
  app.get('/metrics', deps.requireApiKey, deps.prometheus);
  app.use('/api/v1/dashboard', deps.dashboardRoutes);

  app.use(securePages(deps.connectOrigins));
  app.use('/admin/queues', deps.requireAdmin, deps.bullBoard);
  if (deps.demoRoutes) app.use('/demo', deps.demoRoutes);
  app.use(express.static(deps.pageDir, { index: 'index.html', maxAge: 0 }));

  app.use((req, res) => {
    sendProblem(res, problem('ROUTE_NOT_FOUND', `there is no ${req.method} ${req.path}`));
  });
  app.use(createErrorHandler(deps.onFault));
  return app;
}

/** Pages load nothing from elsewhere and run no inline script. */
function securePages(connectOrigins: readonly string[]): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'", ...connectOrigins],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: false,
  }) as RequestHandler;
}
