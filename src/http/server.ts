import type { Express } from 'express';
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';

export interface ServerLimits {
  MAX_HEADER_BYTES: number;
  MAX_HEADERS: number;
  HEADERS_TIMEOUT_MS: number;
  REQUEST_TIMEOUT_MS: number;
  KEEP_ALIVE_TIMEOUT_MS: number;
}

/** How often Node looks for requests that take too long; its own default lets them live for half a minute more. */
const LOOK_EVERY_MS = 1_000;

export interface HttpServer {
  server: Server;
  /** Hands its requests to an application, its only one. */
  serve: (app: Express) => void;
}

/** The HTTP server, with bounds on what a client may send and how long it may take. */
export function createHttpServer(limits: ServerLimits): HttpServer {
  // Each server has its own: they are made the application's.
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse<AppRequest> {}
  const server = createServer({
    IncomingMessage: AppRequest,
    ServerResponse: AppResponse,
    maxHeaderSize: limits.MAX_HEADER_BYTES,
    headersTimeout: Math.min(limits.HEADERS_TIMEOUT_MS, limits.REQUEST_TIMEOUT_MS),
    requestTimeout: limits.REQUEST_TIMEOUT_MS,
    keepAliveTimeout: limits.KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: LOOK_EVERY_MS,
  });
  // What comes after these is not read: as if it had not been sent.
  server.maxHeadersCount = limits.MAX_HEADERS;
  return {
    server,
    serve(app) {
      adoptAppPrototypes(app, AppRequest.prototype, AppResponse.prototype);
      server.on('request', app);
    },
  };
}

/**
 * Express gives each request and response the prototypes `app.request` and `app.response`. An object whose prototype changes
 * is for V8 one of a kind: nothing that is compiled for requests serves it any more, and it outlives the collections of young
 * garbage. Where Node makes them with those prototypes Express changes nothing, and takes a third of the CPU
 * (docs/decisions/0015-express-prototypes.md).
 */
function adoptAppPrototypes(app: Express, request: IncomingMessage, response: ServerResponse): void {
  Object.setPrototypeOf(request, app.request);
  Object.setPrototypeOf(response, app.response);
  Object.assign(app, { request, response });
}
