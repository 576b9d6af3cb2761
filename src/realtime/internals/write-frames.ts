/*
 * Fast paths on private internals of dependencies.
 *
 * | function            | leans on                                                                     | measured when it was added     |
 * | ------------------- | ---------------------------------------------------------------------------- | ------------------------------ |
 * | `writeFramesAtOnce` | Engine.IO 6.6: `write`, `writeBuffer`, `transport`, and `wsPreEncodedFrame`; | one event to 1,000 dashboards: |
 * |                     | ws 8: `_sender.sendFrame`                                                    | 1.33 times bare ws, else 1.83  |
 * | `writeTogether`     | Engine.IO 6.6: `transport`; ws 8: `_socket`                                  | catch-up of 2,000 dashboards:  |
 * |                     |                                                                              | 1.5 times a reconnect that     |
 * |                     |                                                                              | missed nothing, else 2.2       |
 *
 * Fallback: if an internal is missing, Engine.IO writes the packet itself; `writeTogether` then corks nothing.
 * Test against the plain way: `test/realtime/write-frames.test.ts`. Current ratios, with both in use:
 * `docs/reports/benchmarks.md` (`npm run bench -- fanout catch-up`).
 */
import type { Writable } from 'node:stream';
import type { Server } from 'socket.io';

/** What we use of Engine.IO's socket. After an update of Engine.IO any part may be missing. */
interface Connection {
  readyState: string;
  writeBuffer?: unknown[];
  transport?: { name?: string; writable?: boolean; socket?: WebSocket };
  write?: (packet: unknown, options?: WriteOptions, callback?: () => void) => Connection;
}

interface WebSocket {
  /** Engine.IO itself writes prepared frames with it. */
  _sender?: { sendFrame?: (frame: Buffer[]) => void };
  /** The TCP connection. */
  _socket?: Partial<Pick<Writable, 'cork' | 'uncork'>>;
}

interface WriteOptions {
  /** Frame of a broadcast: header and payload. Socket.IO's adapter prepares it once for all WebSockets. */
  wsPreEncodedFrame?: Buffer[];
}

/**
 * Writes the prepared frame of a broadcast directly to each WebSocket, in one piece, if Engine.IO has no packet queued
 * for it. This saves Engine.IO's buffers, events and callbacks, and the vectored write of header and payload. The order
 * of packets stays: those that Engine.IO has passed on were written before, and if one is queued, Engine.IO queues the
 * frame too.
 */
export function writeFramesAtOnce(io: Server): void {
  let prepared: Buffer[] | undefined;
  let whole: Buffer[] = [];

  io.engine.on('connection', (connection: Connection) => {
    const plainWrite = connection.write?.bind(connection);
    if (!plainWrite) return;
    connection.write = (packet, options, callback) => {
      const frame = options?.wsPreEncodedFrame;
      const webSocket = frame && !callback ? idleWebSocket(connection) : undefined;
      if (!frame || !webSocket?._sender?.sendFrame) return plainWrite(packet, options, callback);
      if (frame !== prepared) {
        prepared = frame;
        whole = [Buffer.concat(frame)];
      }
      webSocket._sender.sendFrame(whole);
      return connection;
    };
  });
}

/** The connection's WebSocket, if nothing is queued for it. */
function idleWebSocket({ readyState, writeBuffer, transport }: Connection): WebSocket | undefined {
  const isIdle = readyState === 'open' && transport?.writable === true && writeBuffer?.length === 0;
  return isIdle && transport.name === 'websocket' ? transport.socket : undefined;
}

/** Runs `write`. All frames that it writes to one of these sockets' WebSockets leave in a single system call. */
export function writeTogether(sockets: readonly { conn: unknown }[], write: () => void): void {
  const streams = sockets.flatMap(({ conn }) => (conn as Connection).transport?.socket?._socket ?? []);
  for (const stream of streams) stream.cork?.();
  try {
    write();
  } finally {
    for (const stream of streams) stream.uncork?.();
  }
}
