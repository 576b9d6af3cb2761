import { INTERNAL_NAMESPACE } from '@appointment-emissions/contracts';
import { EMISSIONS_PATH } from '../http/routes/emission-routes.ts';
import type { Logger } from '../process/logger.ts';
import { createThrottledLog } from '../process/throttled-log.ts';

/** Logs server errors of requests. @returns a function that takes the error and the route or namespace of the request */
export function createLogFaults(logger: Logger): (error: unknown, route: string | undefined) => void {
  const requestFailed = createThrottledLog(logger, 'request failed', { level: 'error' });
  const emissionFailed = createThrottledLog(logger, '[InternalSocket] Failed to emit: request failed', {
    level: 'error',
  });
  return (error, route) => {
    const isEmission = route === INTERNAL_NAMESPACE || (route?.includes(EMISSIONS_PATH) ?? false);
    (isEmission ? emissionFailed : requestFailed)({ route }, error);
  };
}
