import { createRequire } from 'node:module';
import type { Server } from 'node:http';

/** The part of `ws` that is used here. The package is the copy that Socket.IO depends on. */
export interface WebSocket {
  readonly readyState: number;
  on: ((event: 'open' | 'close', listener: () => void) => void) &
    ((event: 'error', listener: (error: Error) => void) => void) &
    ((event: 'message', listener: (frame: Buffer, isBinary: boolean) => void) => void);
  send: (text: string) => void;
  terminate: () => void;
}

/** A server-side socket. `_sender.sendFrame` writes a frame that is already encoded. */
export interface ServedWebSocket extends WebSocket {
  _sender: { sendFrame: (frame: Buffer[]) => void };
}

interface WebSocketPackage {
  new (
    url: string,
    options: { perMessageDeflate: false; skipUTF8Validation: true; localAddress?: string | undefined },
  ): WebSocket;
  Server: new (options: { server: Server; perMessageDeflate: false }) => {
    clients: Set<ServedWebSocket>;
  };
  Sender: {
    frame: (
      payload: Buffer,
      options: { fin: true; opcode: 1; mask: false; rsv1: false; readOnly: false },
    ) => Buffer[];
  };
}

const fromHere = createRequire(import.meta.url);
const fromSocketIo = createRequire(fromHere.resolve('socket.io'));
const fromEngineIo = createRequire(fromSocketIo.resolve('engine.io'));
export const ws = fromEngineIo('ws') as WebSocketPackage;
