import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface MetricsPort {
  /** The port it listens on. */
  listening: Promise<number>;
  close: () => Promise<void>;
}

/** Whether the process gets on with its work; words for the operator where it does not. */
type IsAlive = () => { ok: boolean; detail?: string };

/** Serves this process' Prometheus text and its liveness on a port of its own, openly: keep that port inside. */
export function serveMetricsPort(port: number, registry: Registry, isAlive: IsAlive): MetricsPort {
  const server = createServer({ requestTimeout: 5_000, keepAliveTimeout: 5_000 }, (req, res) => {
    const path = req.method === 'GET' ? req.url?.split('?')[0] : undefined;
    if (path === '/livez') {
      const { ok, detail } = isAlive();
      res.writeHead(ok ? 200 : 503, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ status: ok ? 'alive' : 'stuck', ...(detail !== undefined && { detail }) }));
      return;
    }
    if (path !== '/metrics') {
      res.writeHead(404).end('here are GET /metrics and GET /livez\n');
      return;
    }
    registry.metrics().then(
      (text) => res.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => res.writeHead(500).end('the metrics could not be read\n'),
    );
  });
  const listening = new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
  return {
    listening,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
