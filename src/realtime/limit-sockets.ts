import type { IncomingMessage } from 'node:http';
import type { Server } from 'socket.io';
import { INTERNAL_NAMESPACE } from '@appointment-emissions/contracts';
import type { CutReason } from '../domain/cut-reasons.ts';
import { AppError } from '../errors.ts';
import { createPacketCheck, type Packet } from './check-packets.ts';
import { createCompanyShares } from './company-shares.ts';
import { refusal } from './refusal.ts';
import { createWindow } from './window.ts';

export interface LimitSocketsDeps {
  io: Server;
  addressOf: (request: IncomingMessage) => string;
  perAddress: number;
  perCompany: number;
  /** Of one connection, over 10 s; services are limited by their key instead. */
  messagesPerSecond: number;
  /** What may wait for one client that does not read. */
  mostBufferedBytes: number;
  onCut: (reason: CutReason, address: string) => void;
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
const LOOK_EVERY_MS = 1_000;

/**
 * Bounds what clients take of this gateway: connections by address and by company, messages, and memory for those that
 * do not read. Attach it after the gateway: it asks for the company that the token named.
 */
export function limitSockets(deps: LimitSocketsDeps): { close: () => void } {
  const { io, addressOf, perAddress, perCompany, messagesPerSecond, mostBufferedBytes, onCut } = deps;
  const open = new Set<Connection>();
  /** Above the cap at the last look. A burst that is read within a second is no reason to cut. */
  const behind = new WeakSet<Connection>();
  const byAddress = new Map<string, number>();
  const services = new WeakSet<object>();
  const takePlace = createCompanyShares(perCompany);

  function cut(connection: Connection, reason: CutReason): void {
    open.delete(connection);
    onCut(reason, addressOf(connection.request));
    connection.close(true);
    // Else a WebSocket waits for the other side's goodbye, with all that it holds.
    connection.transport.socket?.terminate?.();
  }

  io.engine.on('connection', (connection: Connection) => {
    const address = addressOf(connection.request);
    const others = byAddress.get(address) ?? 0;
    byAddress.set(address, others + 1);
    open.add(connection);
    connection.on('close', () => {
      open.delete(connection);
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left > 0) byAddress.set(address, left);
      else byAddress.delete(address);
    });
    if (others >= perAddress) {
      cut(connection, 'connections');
      return;
    }
    const isWithin = createWindow(messagesPerSecond * WINDOW_SECONDS, WINDOW_SECONDS * 1_000);
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
    const { companyId } = socket.data as { companyId: string };
    if (takePlace(companyId, socket)) next();
    else
      next(refusal(new AppError('RATE_LIMITED', 'the company has as many dashboards connected as allowed')));
  });

  const timer = setInterval(() => {
    for (const connection of open) {
      if (bufferedBytes(connection) <= mostBufferedBytes) behind.delete(connection);
      else if (behind.has(connection)) cut(connection, 'does not read');
      else behind.add(connection);
    }
  }, LOOK_EVERY_MS);

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
