import { type RequestHandler, Router } from 'express';
import type { Registry } from 'prom-client';
import { AppError } from '../errors.ts';

/** `GET /metrics` below the internal API: the fleet's counts as JSON. */
export function createMetricsRoutes(read: () => Promise<object>): Router {
  const router = Router();
  router.get('/metrics', async (_req, res) => {
    let reading;
    try {
      reading = await read();
    } catch (cause) {
      throw new AppError('QUEUE_UNAVAILABLE', 'the counts are kept in Redis, which does not answer', {
        cause,
        retryAfterSeconds: 1,
      });
    }
    res.json({ success: true, ...reading });
  });
  return router;
}

/** Prometheus' text of this process. */
export function servePrometheus(registry: Registry): RequestHandler {
  return async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  };
}
