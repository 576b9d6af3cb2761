import type { Writable } from 'node:stream';
import type { Server } from 'socket.io';

/** What we use of Engine.IO's socket. */
interface Connection {
  readyState: string;
  writeBuffer: unknown[];
  transport: { name: string; writable: boolean; socket?: WebSocket };
  write: (packet: unknown, options?: WriteOptions, callback?: () => void) => Connection;
}

/** As Engine.IO itself writes frames that were prepared. */
interface WebSocket {
  _sender?: { sendFrame?: (frame: Buffer[]) => void };
  /** The TCP connection. */
  _socket?: Writable;
}

interface WriteOptions {
  /** A broadcast's frame, which Socket.IO's adapter prepares once for all WebSockets: header and payload. */
  wsPreEncodedFrame?: Buffer[];
}

/**
 * Writes a broadcast's prepared frame straight to each WebSocket, in one piece, where Engine.IO has nothing waiting for it.
 * Engine.IO's buffers, events and callbacks, and a vectored write for header and payload, otherwise cost nearly as much
 * as the writes themselves. Order holds: what Engine.IO has handed on is before it, and while something waits there it
 * goes the usual way.
 */
export function writeFramesAtOnce(io: Server): void {
  let prepared: Buffer[] | undefined;
  let whole: Buffer[] = [];

  io.engine.on('connection', (connection: Connection) => {
    const usual = connection.write.bind(connection);
    connection.write = (packet, options, callback) => {
      const frame = options?.wsPreEncodedFrame;
      const { transport, writeBuffer, readyState } = connection;
      const isIdle = readyState === 'open' && transport.writable && writeBuffer.length === 0;
      if (
        !frame ||
        callback ||
        !isIdle ||
        transport.name !== 'websocket' ||
        !transport.socket?._sender?.sendFrame
      ) {
        return usual(packet, options, callback);
      }
      if (frame !== prepared) {
        prepared = frame;
        whole = [Buffer.concat(frame)];
      }
      transport.socket._sender.sendFrame(whole);
      return connection;
    };
  });
}

/** What `write` writes to these dashboards goes to each WebSocket in one piece: one call of the system, however many frames. */
export function writeTogether(sockets: readonly { conn: unknown }[], write: () => void): void {
  const streams = sockets.flatMap(({ conn }) => (conn as Connection).transport.socket?._socket ?? []);
  for (const stream of streams) stream.cork();
  try {
    write();
  } finally {
    for (const stream of streams) stream.uncork();
  }
}
