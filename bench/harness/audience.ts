import { signToken } from '../../test/harness/dashboard.ts';
import { openLightSocket, openMany } from './light-socket.ts';
import { JWT_SECRET } from './stage.ts';
import { ws, type WebSocket } from './ws.ts';

/** Handshakes under way at once: more would overflow the listening socket's queue. */
const AT_ONCE = 200;
const LATE_MS = 30_000;

/** Many sockets that count what they hear. */
export interface Audience {
  /** Resolves when every one of them has heard one more event than when it was called. */
  nextHeardByAll: () => Promise<void>;
  /** The last event, as it stood on the wire. */
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
  return gather(options, (onEvent, onFault) =>
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
  return gather(
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

async function gather(
  { count }: AudienceOptions,
  open: (onEvent: (frame: string) => void, onFault: (error: Error) => void) => Promise<WebSocket>,
): Promise<Audience> {
  let heard = 0;
  let last = '';
  let wanted = Infinity;
  let resolve = (): void => undefined;
  let reject: (error: Error) => void = () => undefined;
  const onEvent = (frame: string): void => {
    last = frame;
    heard += 1;
    if (heard === wanted) resolve();
  };
  const sockets = await openMany(count, AT_ONCE, () =>
    open(onEvent, (error) => {
      reject(error);
    }),
  );
  return {
    async nextHeardByAll() {
      wanted = heard + count;
      let late: NodeJS.Timeout | undefined;
      await new Promise<void>((yes, no) => {
        resolve = yes;
        reject = no;
        late = setTimeout(() => {
          no(new Error(`${wanted - heard} of ${count} sockets did not hear it`));
        }, LATE_MS);
      }).finally(() => {
        clearTimeout(late);
      });
    },
    lastEvent: () => last,
    close() {
      for (const socket of sockets) socket.terminate();
    },
  };
}
