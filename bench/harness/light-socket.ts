import { ws, type WebSocket } from './ws.ts';

/** Prefixes of Engine.IO 4 packets, some of which carry a Socket.IO 5 packet. */
const OPEN = '0';
const PING = '2';
const PONG = '3';
const CONNECT = '40';
const REFUSED = '44';
const EVENT = '42';

export interface LightSocketOptions {
  url: string;
  auth: object;
  /** The address of this machine to connect from, such as `127.0.0.2`: one address has 28,000 ports. */
  localAddress?: string;
  /** Receives each event as sent over the wire: `["appointment:updated",…]`. */
  onEvent: (frame: string) => void;
  onFault: (error: Error) => void;
}

/**
 * Opens a Socket.IO client that parses no payload, so that thousands of them run beside the process being measured.
 * Resolves when connected.
 */
export function openLightSocket({
  url,
  auth,
  localAddress,
  onEvent,
  onFault,
}: LightSocketOptions): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const address = `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const socket = new ws(address, {
      ...{ perMessageDeflate: false, skipUTF8Validation: true },
      localAddress,
    });
    const fail = (error: Error): void => {
      reject(error);
      onFault(error);
    };
    socket.on('error', fail);
    socket.on('message', (data) => {
      const frame = data.toString('latin1');
      if (frame === PING) socket.send(PONG);
      else if (frame.startsWith(EVENT)) onEvent(frame.slice(EVENT.length));
      else if (frame.startsWith(CONNECT)) resolve(socket);
      else if (frame.startsWith(OPEN)) socket.send(CONNECT + JSON.stringify(auth));
      else if (frame.startsWith(REFUSED)) fail(new Error(`refused: ${frame}`));
    });
  });
}

/** Calls `open` for each index below `count`, at most `concurrency` at a time. */
export async function openMany<T>(
  count: number,
  concurrency: number,
  open: (index: number) => Promise<T>,
): Promise<T[]> {
  const opened: T[] = [];
  let next = 0;
  const openNext = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      opened[index] = await open(index);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, openNext));
  return opened;
}
