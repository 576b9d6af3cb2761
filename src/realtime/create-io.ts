import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import type { DashboardClientEvents, DashboardServerEvents } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { createOriginCheck } from './allow-origin.ts';
import { createCheckedAdapter } from './checked-adapter.ts';

export interface SocketData {
  companyId: string;
  expiresAt: number;
  /** Who shares the limits of this socket; see Viewer. */
  share: string;
  /** It has been told its place: what it missed before has been replayed. */
  isPlaced?: boolean;
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
  /** From a client. */
  largestMessageBytes: number;
  reportDamage: ReportDamage;
}

/**
 * The Socket.IO server. Compression is off: it costs four times the CPU of a fan-out. Connection state recovery is
 * off: it would send what was missed before the token is checked; the catch-up replaces it.
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
    maxHttpBufferSize: options.largestMessageBytes,
    pingInterval: 10_000,
    pingTimeout: 8_000,
    connectTimeout: 10_000,
    ...(corsOrigins.length > 0 && { cors: { origin: [...corsOrigins] } }),
    adapter: createCheckedAdapter({ publisher, subscriber, adapterKey, reportDamage }),
  });
}
