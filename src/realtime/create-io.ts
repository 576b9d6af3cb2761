import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import type { DashboardClientEvents, DashboardServerEvents } from '@appointment-emissions/contracts';
import type { Viewer } from '../access/verify-token.ts';
import { isOfHost, normalOrigin } from '../access/own-origin.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { createCheckedAdapter } from './adapter/checked-adapter.ts';

/** In one property, since the sockets of an existing application have data of their own. */
export interface SocketData {
  emissions: DashboardData;
}

/** What the gateway knows about a dashboard. */
export interface DashboardData extends Pick<Viewer, 'companyId' | 'share'> {
  /** Whether it gets positions, heartbeats and replays besides the appointment events. */
  wantsPositions: boolean;
  /** Milliseconds since 1970: when its token expires. Missing if the application authenticates its sockets itself. */
  expiresAt?: number;
  /** Set when its first replay and position were sent. */
  isCaughtUp?: boolean;
}

/** False for the other sockets of an application, which may be in a company's room too. */
export function isDashboard({ data }: { data: Partial<SocketData> }): boolean {
  return data.emissions !== undefined;
}

export type DashboardServer = Server<
  DashboardClientEvents,
  DashboardServerEvents,
  Record<string, never>,
  SocketData
>;

export interface CreateIoOptions {
  httpServer: HttpServer;
  publisher: RedisClient;
  subscriber: RedisClient;
  adapterKey: string;
  transports: ('polling' | 'websocket')[];
  corsOrigins: readonly string[];
  /** Of messages from clients. */
  maxMessageBytes: number;
  reportDamage: ReportDamage;
}

/**
 * The Socket.IO server. Compression is off, since it costs four times the CPU of a fan-out. Connection state recovery is
 * off, since it would send missed emissions before the token is verified. The catch-up replaces it.
 */
export function createIo(options: CreateIoOptions): DashboardServer {
  const { httpServer, publisher, subscriber, adapterKey, transports, corsOrigins, reportDamage } = options;
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
    adapter: createCheckedAdapter({ publisher, subscriber, adapterKey, reportDamage }),
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
