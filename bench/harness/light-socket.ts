import { ws, type WebSocket } from './ws.ts';

/** Packets of Engine.IO 4 with Socket.IO 5 in them, as they begin on the wire. */
const OPEN = '0';
const PING = '2';
const PONG = '3';
const CONNECT = '40';
const REFUSED = '44';
const EVENT = '42';

export interface LightSocketOptions {
  url: string;
  auth: object;
  /** Told of each event as it stands on the wire: `["appointment:updated",…]`. */
  onEvent: (frame: string) => void;
  onFault: (error: Error) => void;
}

/** A Socket.IO client that parses nothing: thousands of them fit beside what is measured. Resolves when connected. */
export function openLightSocket({ url, auth, onEvent, onFault }: LightSocketOptions): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const address = `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const socket = new ws(address, { perMessageDeflate: false, skipUTF8Validation: true });
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

/** Opens many, so many at a time. */
export async function openMany<T>(
  count: number,
  atOnce: number,
  open: (index: number) => Promise<T>,
): Promise<T[]> {
  const opened: T[] = [];
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      opened[index] = await open(index);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return opened;
}
