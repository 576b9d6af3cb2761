import { createServer } from 'node:http';
import type { Registry } from 'prom-client';
import { boundConnections, type ConnectionBounds } from '../access/bound-connections.ts';
import type { HealthStatus } from '../domain/health-status.ts';
import { listen } from '../process/listen.ts';
import type { Logger } from '../process/logger.ts';

export interface MetricsPort {
  /** The port that it listens on. Rejects with an error that names the setting. */
  listening: Promise<number>;
  close: () => Promise<void>;
}

export interface MetricsPortDeps {
  registry: Registry;
  isAlive: () => HealthStatus;
  onCut: ConnectionBounds['onCut'];
  logger: Logger;
}

/** Scrapers and probes are few, send small requests and read their replies at once. */
const LIMITS = {
  requestTimeout: 5_000,
  headersTimeout: 5_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 8_192,
};
const CHECK_INTERVAL_MS = 1_000;
const STALL_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS_PER_ADDRESS = 200;

/** Serves `/metrics` and `/livez` of this process on a port without authentication: it must not be public. */
export function serveMetricsPort(
  port: number,
  { registry, isAlive, onCut, logger }: MetricsPortDeps,
): MetricsPort {
  const server = createServer({ ...LIMITS, connectionsCheckingInterval: CHECK_INTERVAL_MS }, (req, res) => {
    const path = req.method === 'GET' ? req.url?.split('?')[0] : undefined;
    if (path === '/livez') {
      const { ok, detail } = isAlive();
      res.writeHead(ok ? 200 : 503, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ status: ok ? 'alive' : 'stuck', ...(detail !== undefined && { detail }) }));
      return;
    }
    if (path !== '/metrics') {
      res.writeHead(404).end('only GET /metrics and GET /livez exist here\n');
      return;
    }
    registry.metrics().then(
      (text) => res.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => res.writeHead(500).end('the metrics could not be read\n'),
    );
  });
  const bounds = boundConnections(server, {
    stallTimeoutMs: STALL_TIMEOUT_MS,
    maxPerAddress: MAX_CONNECTIONS_PER_ADDRESS,
    onCut,
  });
  return {
    listening: listen(server, { port, setting: 'METRICS_PORT', logger }),
    close: () =>
      new Promise((resolve) => {
        bounds.close();
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
