import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import { isOfHost, normalOrigin } from '../access/own-origin.ts';
import { type CheckedAdapterOptions, createCheckedAdapter } from './adapter/checked-adapter.ts';
import type { DashboardServer } from './dashboard-server.ts';

export interface CreateIoOptions extends CheckedAdapterOptions {
  httpServer: HttpServer;
  transports: ('polling' | 'websocket')[];
  corsOrigins: readonly string[];
  /** Of messages from clients. */
  maxMessageBytes: number;
}

/**
 * The Socket.IO server. Compression is off, since it costs four times the CPU of a fan-out. Connection state recovery is
 * off, since it would send missed emissions before the token is verified. The catch-up replaces it.
 */
export function createIo(options: CreateIoOptions): DashboardServer {
  const { httpServer, transports, corsOrigins } = options;
  const isAllowed = createOriginCheck(corsOrigins);
  return new Server(httpServer, {
    transports,
    allowRequest: (request, decide) => {
      decide(isAllowed(request) ? null : 'this origin is not allowed', isAllowed(request));
    },
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: options.maxMessageBytes,
    pingInterval: 10_000,
    pingTimeout: 8_000,
    connectTimeout: 10_000,
    ...(corsOrigins.length > 0 && { cors: { origin: [...corsOrigins] } }),
    adapter: createCheckedAdapter(options),
  });
}

/**
 * Whether a page may open a socket. Browsers apply CORS to polling only, so the server checks the Origin of every
 * handshake: it allows the listed origins, its own page, and clients that send no Origin.
 */
function createOriginCheck(origins: readonly string[]): (request: IncomingMessage) => boolean {
  const listed = new Set<string | undefined>(origins);
  return ({ headers: { origin, host } }) =>
    listed.size === 0 || origin === undefined || listed.has(normalOrigin(origin)) || isOfHost(origin, host);
}
