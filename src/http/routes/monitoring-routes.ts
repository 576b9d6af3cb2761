import { type RequestHandler, Router } from 'express';
import type { Registry } from 'prom-client';
import type { HealthStatus } from '../../domain/health-status.ts';
import { fromRedis } from '../../redis/redis-errors.ts';

export interface HealthDeps {
  /** By name; run at each request, each with its own deadline. */
  checks: Record<string, () => Promise<HealthStatus>>;
  /** Other problems that do not stop the service. */
  warnings: () => Promise<string[]>;
  isDraining: () => boolean;
  /** Whether this process makes progress. Calls no server. */
  isAlive: () => HealthStatus;
}

/** `/livez`, `/readyz` and `/health`. They need no key: they contain states, never data. */
export function createHealthRoutes({ checks, warnings, isDraining, isAlive }: HealthDeps): Router {
  const router = Router();

  async function runChecks() {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await check()] as const),
    );
    const draining = isDraining();
    return {
      ready: !draining && results.every(([, { ok }]) => ok),
      draining,
      checks: Object.fromEntries(results),
    };
  }

  router.get('/livez', (_req, res) => {
    const { ok, detail } = isAlive();
    res
      .status(ok ? 200 : 503)
      .json({ status: ok ? 'alive' : 'stuck', ...(detail !== undefined && { detail }) });
  });
  router.get('/readyz', async (_req, res) => {
    const { ready, draining, checks: results } = await runChecks();
    const states = Object.fromEntries(Object.entries(results).map(([name, { ok }]) => [name, ok]));
    res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not ready', draining, checks: states });
  });
  router.get('/health', async (_req, res) => {
    const { ready, draining, checks: results } = await runChecks();
    res.status(ready ? 200 : 503).json({
      status: ready ? 'ready' : 'not ready',
      draining,
      checks: results,
      warnings: await warnings(),
      uptimeSeconds: Math.round(process.uptime()),
    });
  });
  return router;
}

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
