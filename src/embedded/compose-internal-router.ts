import { type Acceptance, composeEmissionRoutes, createLogFaults } from '../api/compose-accept.ts';
import { composeServiceAccess } from '../api/compose-access.ts';
import type { EmbeddedConfig } from '../config.ts';
import { createInternalRouter } from '../http/app.ts';
import { logRequests } from '../http/middleware/log-requests.ts';
import { reportRefusals } from '../http/middleware/report-refusals.ts';
import { createMetricsRoutes } from '../http/routes/metrics-routes.ts';
import type { Resources } from '../resources/open-resources.ts';
import type { Middleware } from './options.ts';

/** The internal API as one router, with the API's own parts. */
export function composeInternalRouter(
  resources: Resources<EmbeddedConfig>,
  acceptance: Acceptance,
): Middleware {
  const { metrics, logger } = resources;
  const router = createInternalRouter({
    requireApiKey: composeServiceAccess(resources).requireApiKey,
    logRequests: logRequests(logger),
    reportRefusals: reportRefusals(metrics.reject, acceptance.logRefused),
    emissionRoutes: composeEmissionRoutes(resources, acceptance),
    metricsRoutes: createMetricsRoutes(metrics.read),
    onFault: createLogFaults(logger),
  });
  // Express' types describe its own request; every version of it adds the same methods.
  return router as unknown as Middleware;
}
