import { signToken } from '../../test/harness/dashboard.ts';
import { openLightSocket, openMany } from './light-socket.ts';
import { JWT_SECRET } from './environment.ts';
import { ws, type WebSocket } from './ws.ts';

/** Concurrent handshakes. More would overflow the backlog of the listening socket. */
const HANDSHAKE_CONCURRENCY = 200;
const EVENT_TIMEOUT_MS = 30_000;

/** Many sockets that count the events they receive. */
export interface Audience {
  /** Resolves when every socket has received one more event after this call. */
  nextReceivedByAll: () => Promise<void>;
  /** The last event, as sent over the wire. */
  lastEvent: () => string;
  close: () => void;
}

interface AudienceOptions {
  url: string;
  count: number;
}

/** Dashboards of one company. */
export async function openDashboards(options: AudienceOptions & { companyId: string }): Promise<Audience> {
  const token = await signToken(JWT_SECRET, options.companyId, '1h');
  return openAudience(options, (onEvent, onFault) =>
    openLightSocket({
      url: options.url,
      auth: { token },
      onEvent: (frame) => {
        if (frame.startsWith('["appointment:')) onEvent(frame);
      },
      onFault,
    }),
  );
}

/** Clients of a bare WebSocket server. */
export function openBareSockets(options: AudienceOptions): Promise<Audience> {
  return openAudience(
    options,
    (onEvent, onFault) =>
      new Promise((resolve) => {
        const address = options.url.replace('http', 'ws');
        const socket = new ws(address, { perMessageDeflate: false, skipUTF8Validation: true });
        socket.on('error', onFault);
        socket.on('message', (frame) => {
          onEvent(frame.toString('latin1'));
        });
        socket.on('open', () => {
          resolve(socket);
        });
      }),
  );
}

/** Opens `count` sockets with `open`, which calls `onEvent` for each event. */
export async function openAudience(
  { count }: AudienceOptions,
  open: (onEvent: (frame: string) => void, onFault: (error: Error) => void) => Promise<WebSocket>,
): Promise<Audience> {
  let received = 0;
  let last = '';
  let expected = Infinity;
  let resolve = (): void => undefined;
  let reject: (error: Error) => void = () => undefined;
  const onEvent = (frame: string): void => {
    last = frame;
    received += 1;
    if (received === expected) resolve();
  };
  const sockets = await openMany(count, HANDSHAKE_CONCURRENCY, () =>
    open(onEvent, (error) => {
      reject(error);
    }),
  );
  return {
    async nextReceivedByAll() {
      expected = received + count;
      let timeout: NodeJS.Timeout | undefined;
      await new Promise<void>((onReceived, onFailed) => {
        resolve = onReceived;
        reject = onFailed;
        timeout = setTimeout(() => {
          onFailed(new Error(`${expected - received} of ${count} sockets did not receive the event`));
        }, EVENT_TIMEOUT_MS);
      }).finally(() => {
        clearTimeout(timeout);
      });
    },
    lastEvent: () => last,
    close() {
      for (const socket of sockets) socket.terminate();
    },
  };
}
