import { createServer, type Server } from 'node:http';

export interface ServerLimits {
  HEADERS_MAX_BYTES: number;
  HEADERS_MAX_COUNT: number;
  HEADERS_TIMEOUT_MS: number;
  REQUEST_TIMEOUT_MS: number;
  KEEP_ALIVE_TIMEOUT_MS: number;
}

/** How often Node looks for requests that take too long; its own default lets them live for half a minute more. */
const LOOK_EVERY_MS = 1_000;

/** The HTTP server, with bounds on what a client may send and how long it may take. */
export function createHttpServer(limits: ServerLimits): Server {
  const server = createServer({
    maxHeaderSize: limits.HEADERS_MAX_BYTES,
    headersTimeout: Math.min(limits.HEADERS_TIMEOUT_MS, limits.REQUEST_TIMEOUT_MS),
    requestTimeout: limits.REQUEST_TIMEOUT_MS,
    keepAliveTimeout: limits.KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: LOOK_EVERY_MS,
  });
  // What comes after these is not read: as if it had not been sent.
  server.maxHeadersCount = limits.HEADERS_MAX_COUNT;
  return server;
}
