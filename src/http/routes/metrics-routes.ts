import type { RequestHandler } from 'express';
import type { Registry } from 'prom-client';
import { fromRedis } from '../../redis/redis-errors.ts';

/** The fleet's counts as JSON. */
export function serveMetrics(read: () => Promise<object>): RequestHandler {
  return async (_req, res) => {
    const reading = await fromRedis(read(), 'Redis, which keeps the counts, does not answer');
    res.json({ success: true, ...reading });
  };
}

/** Prometheus' text of this process. */
export function servePrometheus(registry: Registry): RequestHandler {
  return async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  };
}
