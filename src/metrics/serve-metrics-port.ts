import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface MetricsPort {
  /** The port it listens on. */
  listening: Promise<number>;
  close: () => Promise<void>;
}

/** Serves this process' Prometheus text on a port of its own, openly: keep that port inside. */
export function serveMetricsPort(port: number, registry: Registry): MetricsPort {
  const server = createServer({ requestTimeout: 5_000, keepAliveTimeout: 5_000 }, (req, res) => {
    if (req.method !== 'GET' || req.url?.split('?')[0] !== '/metrics') {
      res.writeHead(404).end('the metrics are at GET /metrics\n');
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
