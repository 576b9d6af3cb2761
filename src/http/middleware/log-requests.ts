import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import type { Logger } from '../../process/logger.ts';

/** Ids only: the header is logged, so it must not carry text, an e-mail address or anything that is URL-encoded. */
const REQUEST_ID = /^[\w.:=+/-]{1,128}$/;

/**
 * Names each request: by its own `X-Request-Id`, or by a random id if that is missing or malformed. Every answer has the
 * id in `X-Request-Id`.
 *
 * Writes one line per answered request: `error` for server errors, otherwise `debug`. For emissions it is always `debug`, since
 * other lines report their outcome. pino-http is not used: its child logger per request takes a tenth of the API's CPU.
 * @param onAnswered  called when the response of a request was sent
 */
export function logRequests(
  logger: Logger,
  onAnswered: (req: Request, status: number, tookMs: number) => void,
): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    const given = req.headers['x-request-id'];
    const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    res.locals.requestId = requestId;
    res.setHeader('X-Request-Id', requestId);
    res.once('finish', () => {
      const tookMs = performance.now() - startedAt;
      onAnswered(req, res.statusCode, tookMs);
      const isEmission = res.locals.isEmission === true;
      const level = res.statusCode >= 500 && !isEmission ? 'error' : 'debug';
      if (!logger.isLevelEnabled(level)) return;
      // The key's fingerprint shows who still uses the old key during a rotation.
      const key = res.locals.keyFingerprint as string | undefined;
      logger[level](
        {
          requestId,
          method: req.method,
          route: routeOf(req),
          status: res.statusCode,
          tookMs: Math.round(tookMs),
          key,
        },
        isEmission ? '[InternalSocket] answered' : 'answered',
      );
    });
    next();
  };
}

/** The pattern of the route that handled a request, for logs. Never the path itself, which can contain anything. */
export function routeOf(req: Request): string | undefined {
  const route = req.route as { path?: unknown } | undefined;
  return typeof route?.path === 'string' ? `${req.baseUrl}${route.path}` : undefined;
}
