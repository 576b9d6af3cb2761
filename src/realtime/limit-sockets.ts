import type { IncomingMessage } from 'node:http';
import type { Server } from 'socket.io';
import { INTERNAL_NAMESPACE } from '@appointment-emissions/contracts';
import type { CutReason } from '../domain/cut-reasons.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { createPacketCheck, type Packet } from './check-packets.ts';
import { refusal } from './handshake.ts';
import type { DashboardSocket } from './dashboard-server.ts';
import { createCompanyShares, createWindowLimit } from './limits.ts';

export interface LimitSocketsDeps {
  io: Server;
  addressOf: (request: IncomingMessage) => string;
  perAddress: number;
  perCompany: number;
  /** Of one connection, averaged over 10 s. Services are limited by their API key instead. */
  messagesPerSecond: number;
  /** Bytes that may be queued for one client that does not read. */
  maxBufferedBytes: number;
  onCut: (reason: CutReason, address: string) => void;
  /** A dashboard was refused, since its company has reached its limit. */
  onRefused: (code: ErrorCode) => void;
}

/** What we use of Engine.IO's socket. */
interface Connection {
  request: IncomingMessage;
  writeBuffer: { data?: unknown }[];
  transport: { socket?: { bufferedAmount?: number; terminate?: () => void } };
  on: ((event: 'packet' | 'packetCreate', listener: (packet: Packet) => void) => void) &
    ((event: 'close', listener: () => void) => void);
  close: (discard?: boolean) => void;
}

const WINDOW_SECONDS = 10;
const CHECK_BUFFERS_EVERY_MS = 1_000;

/**
 * Limits the resources that clients use: connections per address, sockets per company, messages, and memory for clients
 * that do not read. It must be attached after the gateway, since it needs the company that the token names.
 */
export function limitSockets(deps: LimitSocketsDeps): { close: () => void } {
  const { io, addressOf, perAddress, perCompany, messagesPerSecond, maxBufferedBytes, onCut, onRefused } =
    deps;
  const open = new Set<Connection>();
  const services = new WeakSet<object>();
  const countAddress = createAddressCounts();
  const takePlace = createCompanyShares(perCompany);

  function cut(connection: Connection, reason: CutReason): void {
    open.delete(connection);
    onCut(reason, addressOf(connection.request));
    connection.close(true);
    // Otherwise a WebSocket, and all that it buffers, stays until the client answers the close frame.
    connection.transport.socket?.terminate?.();
  }

  io.engine.on('connection', (connection: Connection) => {
    open.add(connection);
    connection.on('close', () => open.delete(connection));
    const others = countAddress(addressOf(connection.request), connection);
    if (others >= perAddress) {
      cut(connection, 'connections');
      return;
    }
    const isWithin = createWindowLimit(messagesPerSecond * WINDOW_SECONDS, WINDOW_SECONDS * 1_000);
    const check = createPacketCheck();
    connection.on('packetCreate', check.sent);
    connection.on('packet', (packet) => {
      if (!check.received(packet)) cut(connection, 'protocol');
      else if (!services.has(connection) && !isWithin()) cut(connection, 'messages');
    });
  });

  io.of(INTERNAL_NAMESPACE).on('connection', ({ conn }) => {
    services.add(conn);
  });

  io.use((socket, next) => {
    const { companyId } = (socket as unknown as DashboardSocket).data.emissions;
    if (takePlace(companyId, socket)) {
      next();
      return;
    }
    const error = new AppError('RATE_LIMITED', 'the company has reached its limit of connected dashboards');
    onRefused(error.code);
    next(refusal(error));
  });

  return cutSlowReaders(open, maxBufferedBytes, (connection) => {
    cut(connection, 'does not read');
  });
}

/** Counts open connections by address. @returns the number of other connections of the same address */
function createAddressCounts(): (address: string, connection: Connection) => number {
  const counts = new Map<string, number>();
  return (address, connection) => {
    const others = counts.get(address) ?? 0;
    counts.set(address, others + 1);
    connection.on('close', () => {
      const left = (counts.get(address) ?? 1) - 1;
      if (left > 0) counts.set(address, left);
      else counts.delete(address);
    });
    return others;
  };
}

/** Cuts connections that are above the limit in two consecutive checks. A burst that is read within a second is none. */
function cutSlowReaders(
  open: ReadonlySet<Connection>,
  maxBufferedBytes: number,
  cut: (connection: Connection) => void,
): { close: () => void } {
  const behind = new WeakSet<Connection>();
  const timer = setInterval(() => {
    for (const connection of open) {
      if (bufferedBytes(connection) <= maxBufferedBytes) behind.delete(connection);
      else if (behind.has(connection)) cut(connection);
      else behind.add(connection);
    }
  }, CHECK_BUFFERS_EVERY_MS);
  return {
    close() {
      clearInterval(timer);
    },
  };
}

function bufferedBytes({ writeBuffer, transport }: Connection): number {
  let bytes = transport.socket?.bufferedAmount ?? 0;
  for (const { data } of writeBuffer) {
    if (typeof data === 'string' || Buffer.isBuffer(data)) bytes += data.length;
  }
  return bytes;
}
