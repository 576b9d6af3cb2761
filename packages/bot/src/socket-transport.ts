import { isNativeError } from 'node:util/types';
import { type EmitRequest, INTERNAL_NAMESPACE } from '@appointment-emissions/contracts';
import type { Answer } from './attempt-result.ts';
import { untilAborted } from './deadline.ts';

/** The part of socket.io-client that is used. Declared here, so that the types compile where it is not installed. */
export interface ClientSocket {
  readonly connected: boolean;
  on(event: string, listener: (argument?: unknown) => void): unknown;
  off(event: string, listener: (argument?: unknown) => void): unknown;
  emit(event: 'emit', request: EmitRequest, acknowledge: (reply: unknown) => void): unknown;
  disconnect(): unknown;
}
export type LoadClient = () => Promise<{ io: (url: string, options: object) => ClientSocket }>;

export interface SocketTransport {
  /** False after `close`, and once it is known that socket.io-client is not installed. */
  usable(): boolean;
  /** Sends one request. @throws if it cannot connect, if the connection is lost, or if the signal is aborted */
  emit(request: EmitRequest, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

interface SocketTransportOptions {
  backendUrl: URL;
  apiKey: string;
  /** How long an unused connection stays open. */
  idleMs: number;
  loadClient?: LoadClient;
}

/**
 * Sends emissions over the `/internal` namespace. It covers a broken HTTP path to a working backend: a faulty proxy, a full
 * accept queue, an exhausted connection pool.
 *
 * All emissions share one connection. It is closed after an idle time, and when its only emission fails. It does not keep
 * the process alive.
 */
export function createSocketTransport(options: SocketTransportOptions): SocketTransport {
  const { idleMs, loadClient = () => import('socket.io-client') } = options;
  let socket: ClientSocket | undefined;
  let emissionsInFlight = 0;
  let idleTimer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let isMissing = false;

  function drop(): void {
    clearTimeout(idleTimer);
    socket?.disconnect();
    socket = undefined;
  }

  async function open(signal: AbortSignal): Promise<ClientSocket> {
    const client = await untilAborted(loadClient(), signal).catch((error: unknown) => {
      isMissing = true;
      throw new Error('socket.io-client is not installed', { cause: error });
    });
    if (client === undefined || isClosed) throw new Error('stopped while socket.io-client was loading');
    // Another emission may have connected in the meantime.
    if (socket === undefined) {
      const created = connect(client, options, () => {
        if (socket === created) drop();
      });
      socket = created;
    }
    const opened = socket;
    await connected(opened, signal);
    return opened;
  }

  return {
    usable: () => !isMissing && !isClosed,
    async emit(request, signal) {
      clearTimeout(idleTimer);
      emissionsInFlight += 1;
      try {
        const reply = await acknowledged(await open(signal), request, signal);
        return toAnswer(reply);
      } catch (error) {
        // No other emission uses the connection, so the next one can open a new one.
        if (emissionsInFlight === 1) drop();
        throw error;
      } finally {
        emissionsInFlight -= 1;
        if (emissionsInFlight === 0 && socket !== undefined) idleTimer = setTimeout(drop, idleMs).unref();
      }
    },
    close() {
      isClosed = true;
      drop();
    },
  };
}

function connect(
  { io }: Awaited<ReturnType<LoadClient>>,
  { backendUrl, apiKey }: SocketTransportOptions,
  onEnd: () => void,
): ClientSocket {
  const socket = io(new URL(INTERNAL_NAMESPACE, backendUrl.origin).href, {
    path: `${backendUrl.pathname.replace(/\/+$/, '')}/socket.io`,
    auth: { apiKey },
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    autoUnref: true,
  });
  socket.on('connect_error', onEnd);
  socket.on('disconnect', onEnd);
  return socket;
}

function toAnswer(reply: unknown): Answer {
  const status = typeof reply === 'object' && reply !== null && 'status' in reply ? reply.status : 0;
  return {
    status: typeof status === 'number' ? status : 0,
    body: reply,
    text: JSON.stringify(reply ?? null),
  };
}

function connected(socket: ClientSocket, signal: AbortSignal): Promise<void> {
  if (socket.connected) return Promise.resolve();
  return whileConnected(socket, signal, (resolve) => {
    const onConnect = (): void => {
      resolve();
    };
    socket.on('connect', onConnect);
    return () => socket.off('connect', onConnect);
  });
}

function acknowledged(socket: ClientSocket, request: EmitRequest, signal: AbortSignal): Promise<unknown> {
  return whileConnected(socket, signal, (resolve) => {
    socket.emit('emit', request, resolve);
    return () => undefined;
  });
}

/**
 * Resolves to the value that `start` passes to its callback. Rejects if the connection fails or the signal is aborted.
 * @param start returns a function that removes its listeners
 */
function whileConnected<T>(
  socket: ClientSocket,
  signal: AbortSignal,
  start: (resolve: (value: T) => void) => () => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (reason?: unknown): void => {
      finish();
      reject(isNativeError(reason) ? reason : new Error(`socket closed: ${String(reason)}`));
    };
    const abort = (): void => {
      fail(new Error('no reply in time over the socket'));
    };
    socket.on('connect_error', fail);
    socket.on('disconnect', fail);
    signal.addEventListener('abort', abort);
    const stop = start((value) => {
      finish();
      resolve(value);
    });
    function finish(): void {
      stop();
      socket.off('connect_error', fail);
      socket.off('disconnect', fail);
      signal.removeEventListener('abort', abort);
    }
    if (signal.aborted) abort();
  });
}
