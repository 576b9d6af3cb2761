import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { answerInTurn } from './answer-in-turn.ts';
import { clientAddress } from './client-address.ts';
import type { CutReason } from '../domain/cut-reasons.ts';
import type { Logger } from '../process/logger.ts';

export interface ConnectionBounds {
  /** How long a client may read nothing of a waiting response. */
  stallTimeoutMs: number;
  /** Without a value connections are not counted: behind proxies they all come from a few addresses. */
  maxPerAddress?: number | undefined;
  onCut: (reason: CutReason, address: string) => void;
}

interface Connection {
  socket: Socket;
  address: string;
  /** Bytes that the operating system had accepted at the last check. */
  sentBytes: number;
  progressAt: number;
}

/** What we use of a socket's handle. `writeQueueSize` falls while a large write is under way, as in Node's own timeout. */
interface Handle {
  bytesWritten: number;
  writeQueueSize: number;
}

const CHECK_EVERY_MS = 1_000;
/** Maximum number of unsent bytes for all stalled connections of an address. */
const MAX_UNSENT_BYTES_PER_ADDRESS = 67_108_864;
/** How long a connection may read nothing if its address has more unsent bytes than that. */
const CROWDED_STALL_MS = 3_000;

/**
 * Limits the connections of a server: requests in flight (see {@link answerInTurn}), the time that answers wait for a
 * client that does not read, and connections per address. It covers every answer, also Node's own and those of upgraded
 * connections. A client that reads slowly is not cut: each sent byte counts as progress.
 */
export function boundConnections(server: Server, bounds: ConnectionBounds): { close: () => void } {
  const { stallTimeoutMs, maxPerAddress = Infinity, onCut } = bounds;
  const open = new Map<Socket, Connection>();
  const perAddress = new Map<string, number>();

  function cut(socket: Socket, reason: CutReason): void {
    const address = open.get(socket)?.address;
    if (address === undefined || socket.destroyed) return;
    onCut(reason, address);
    socket.destroy();
  }

  server.on('connection', (socket: Socket) => {
    const address = clientAddress({ headers: {}, socket } as IncomingMessage, 0);
    const others = perAddress.get(address) ?? 0;
    perAddress.set(address, others + 1);
    open.set(socket, { socket, address, sentBytes: 0, progressAt: performance.now() });
    socket.once('close', () => {
      open.delete(socket);
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left > 0) perAddress.set(address, left);
      else perAddress.delete(address);
    });
    if (others >= maxPerAddress) cut(socket, 'connections');
  });
  answerInTurn(server, (socket) => {
    cut(socket, 'pipelined');
  });

  const timer = setInterval(() => {
    const now = performance.now();
    const stalled = new Map<string, (Connection & { unsent: number })[]>();
    for (const connection of open.values()) {
      const { socket, address } = connection;
      const unsent = checkProgress(connection, now);
      const idleMs = now - connection.progressAt;
      if (idleMs >= stallTimeoutMs) cut(socket, unsent > 0 ? 'stalled' : 'half-open');
      else if (unsent > 0 && idleMs >= CROWDED_STALL_MS)
        stalled.set(address, [...(stalled.get(address) ?? []), { ...connection, unsent }]);
    }
    for (const connections of stalled.values()) cutLargest(connections);
  }, CHECK_EVERY_MS);

  function cutLargest(connections: (Connection & { unsent: number })[]): void {
    let total = connections.reduce((sum, { unsent }) => sum + unsent, 0);
    for (const { socket, unsent } of connections.sort((a, b) => b.unsent - a.unsent)) {
      if (total <= MAX_UNSENT_BYTES_PER_ADDRESS) return;
      cut(socket, 'unsent');
      total -= unsent;
    }
  }

  return {
    close() {
      clearInterval(timer);
    },
  };
}

/** Records progress. @returns the number of unsent bytes */
function checkProgress(connection: Connection, now: number): number {
  const { socket } = connection;
  const handle = (socket as unknown as { _handle: Handle | null })._handle;
  const queued = handle?.writeQueueSize ?? 0;
  const unsent = Math.max(socket.writableLength, queued);
  const sentBytes = (handle?.bytesWritten ?? 0) - queued;
  // An ended one waits for its client to end as well.
  const isWaiting = unsent > 0 || socket.writableEnded;
  if (!isWaiting || sentBytes !== connection.sentBytes) {
    connection.sentBytes = sentBytes;
    connection.progressAt = now;
  }
  return unsent;
}

const LOG_CUTS_EVERY_MS = 10_000;

/**
 * Counts each connection that is cut, and logs the first one of a reason at once, then at most one line in 10 s with the
 * number of cuts since the line before.
 */
export function recordCuts(
  count: (reason: CutReason) => void,
  logger: Logger,
): (reason: CutReason, address: string) => void {
  const unlogged = new Map<CutReason, { cuts: number; loggedAt: number }>();
  return (reason, address) => {
    count(reason);
    const { cuts, loggedAt } = unlogged.get(reason) ?? { cuts: 0, loggedAt: -Infinity };
    const now = performance.now();
    if (now - loggedAt < LOG_CUTS_EVERY_MS) {
      unlogged.set(reason, { cuts: cuts + 1, loggedAt });
      return;
    }
    unlogged.set(reason, { cuts: 0, loggedAt: now });
    logger.warn({ reason, address, cuts: cuts + 1 }, 'connection cut');
  };
}
