import { type RequestHandler, Router } from 'express';
import type { Registry } from 'prom-client';
import { fromRedis } from '../../redis/from-redis.ts';

/** `GET /metrics` below the internal API: the fleet's counts as JSON. */
export function createMetricsRoutes(read: () => Promise<object>): Router {
  const router = Router();
  router.get('/metrics', async (_req, res) => {
    const reading = await fromRedis(read(), 'Redis, which keeps the counts, does not answer');
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
