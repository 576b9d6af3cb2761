import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import type { CompanyTurns } from '../access/company-turns.ts';
import { isOfHost, normalOrigin } from '../access/own-origin.ts';
import { type CheckedAdapterOptions, createCheckedAdapter } from './adapter/checked-adapter.ts';
import type { DashboardServer } from './dashboard-server.ts';

export interface CreateIoOptions extends CheckedAdapterOptions {
  httpServer: HttpServer;
  transports: ('polling' | 'websocket')[];
  corsOrigins: readonly string[];
  /** Of messages from clients. */
  maxMessageBytes: number;
  addressOf: (request: IncomingMessage) => string;
  turns: Pick<CompanyTurns, 'handshake' | 'accepted'>;
}

/**
 * The Socket.IO server. Compression is off, since it costs four times the CPU of a fan-out. Connection state recovery is
 * off, since it would send missed emissions before the token is verified. The catch-up replaces it. Handshakes take turns by
 * address, since the company is not known before the token is verified.
 */
export function createIo(options: CreateIoOptions): DashboardServer {
  const { httpServer, transports, corsOrigins, addressOf, turns } = options;
  const isAllowed = createOriginCheck(corsOrigins);
  const allowInTurn = (request: IncomingMessage, decide: DecideHandshake): void => {
    const { socket } = request;
    const allow = (): void => {
      socket.off('error', ignore);
      decide(null, !socket.destroyed);
    };
    // Node removes its own listener from a connection that is upgraded: without one an error would end the process.
    socket.on('error', ignore);
    void turns.handshake(addressOf(request), allow);
  };
  httpServer.on('connection', turns.accepted);
  return new Server(httpServer, {
    transports,
    allowRequest: (request, decide) => {
      if (isAllowed(request)) allowInTurn(request, decide);
      else decide('this origin is not allowed', false);
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

type DecideHandshake = (error: string | null, isAllowed: boolean) => void;
const ignore = (): void => undefined;

/**
 * Whether a page may open a socket. Browsers apply CORS to polling only, so the server checks the Origin of every
 * handshake: it allows the listed origins, its own page, and clients that send no Origin.
 */
function createOriginCheck(origins: readonly string[]): (request: IncomingMessage) => boolean {
  const listed = new Set<string | undefined>(origins);
  return ({ headers: { origin, host } }) =>
    listed.size === 0 || origin === undefined || listed.has(normalOrigin(origin)) || isOfHost(origin, host);
}
