import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Logger } from '../../process/logger.ts';
import { routeOf } from '../route-of.ts';

/**
 * One line a request, when it has been answered: errors of ours as `error`, the rest as `debug` (what was accepted has
 * a line of its own). pino-http would do it, but makes a child logger for every request, a tenth of the API's CPU.
 */
export function logRequests(logger: Logger): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    const requestId = randomUUID();
    res.locals.requestId = requestId;
    res.once('finish', () => {
      const level = res.statusCode >= 500 ? 'error' : 'debug';
      if (!logger.isLevelEnabled(level)) return;
      const tookMs = Math.round(performance.now() - startedAt);
      // Which of the keys, by its fingerprint: who still uses the old one while they are rotated.
      const key = res.locals.keyFingerprint as string | undefined;
      logger[level](
        { requestId, method: req.method, route: routeOf(req), status: res.statusCode, tookMs, key },
        'answered',
      );
    });
    next();
  };
}
