import { type RequestHandler, Router } from 'express';
import { createErrorHandler, problem, sendProblem } from './problem.ts';

interface InternalRoutes {
  /** Checks the API key and the rate limits. */
  requireApiKey: RequestHandler | RequestHandler[];
  /** Count and log refused emissions. */
  reportRefusals: RequestHandler[];
  emissionRoutes: Router;
  metricsRoutes: Router;
}

export interface InternalRouterDeps extends InternalRoutes {
  logRequests: RequestHandler;
  onFault: (error: unknown, route: string | undefined) => void;
}

/**
 * The internal routes for an existing application, to be mounted at `/api/v1/internal`. It answers all requests itself, errors
 * and unknown routes too, so that the application's error handler sees none of them. It works in Express 4 and 5.
 */
export function createInternalRouter({ logRequests, onFault, ...routes }: InternalRouterDeps): Router {
  const router = Router();
  router.use(logRequests);
  router.use('/socket', routes.reportRefusals, routes.requireApiKey, routes.emissionRoutes);
  router.use(routes.requireApiKey, routes.metricsRoutes);
  router.use((_req, res) => {
    sendProblem(res, problem('ROUTE_NOT_FOUND', 'there is no such route'));
  });
  router.use(createErrorHandler(onFault));
  return router;
}
