import { isNativeError } from 'node:util/types';
import { cut, type EmitRequest, INTERNAL_NAMESPACE } from '@appointment-emissions/contracts';
import { untilAborted } from './deadline.ts';
import type { Answer } from './attempt-result.ts';

/** Of an answer, in code points. */
const MAX_LOGGED = 2_000;

/** What is used of socket.io-client: spelled out, so that the declarations compile where it is not installed. */
export interface ClientSocket {
  readonly connected: boolean;
  on(event: string, listener: (argument?: unknown) => void): unknown;
  off(event: string, listener: (argument?: unknown) => void): unknown;
  emit(event: 'emit', request: EmitRequest, acknowledge: (reply: unknown) => void): unknown;
  disconnect(): unknown;
}
export type LoadClient = () => Promise<{ io: (url: string, options: object) => ClientSocket }>;

export interface SocketTransport {
  /** False once it is known that socket.io-client is not installed. */
  usable(): boolean;
  /** One attempt. @throws when it can't connect, loses the connection, or the signal is aborted. */
  emit(request: EmitRequest, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

interface SocketTransportOptions {
  backendUrl: URL;
  apiKey: string;
  /** How long an unused connection is kept. */
  idleMs: number;
  loadClient?: LoadClient;
}

/**
 * Covers an HTTP path that is broken while the backend is not: a proxy in front, a full accept queue, an exhausted
 * pool. One connection to the `/internal` namespace serves all emissions, and is closed when it was idle for a while,
 * or when the last one that waits for it gives up. It does not keep the process alive.
 */
export function createSocketTransport({
  backendUrl,
  apiKey,
  idleMs,
  loadClient = () => import('socket.io-client'),
}: SocketTransportOptions): SocketTransport {
  let socket: ClientSocket | undefined;
  let users = 0;
  let idleTimer: NodeJS.Timeout | undefined;
  let closed = false;
  let missing = false;

  function drop(): void {
    clearTimeout(idleTimer);
    socket?.disconnect();
    socket = undefined;
  }

  async function open(signal: AbortSignal): Promise<ClientSocket> {
    const client = await untilAborted(loadClient(), signal).catch((error: unknown) => {
      missing = true;
      throw new Error('socket.io-client is not installed', { cause: error });
    });
    if (client === undefined || closed) throw new Error('gave up while loading socket.io-client');
    // Another emission may have opened it while this one awaited the module.
    socket ??= create(client);
    const opened = socket;
    await connected(opened, signal);
    return opened;
  }

  function create({ io }: Awaited<ReturnType<LoadClient>>): ClientSocket {
    const created = io(new URL(INTERNAL_NAMESPACE, backendUrl.origin).href, {
      path: `${backendUrl.pathname.replace(/\/+$/, '')}/socket.io`,
      auth: { apiKey },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      autoUnref: true,
    });
    const forget = (): void => {
      if (socket === created) drop();
    };
    created.on('connect_error', forget);
    created.on('disconnect', forget);
    return created;
  }

  return {
    usable: () => !missing && !closed,
    async emit(request, signal) {
      clearTimeout(idleTimer);
      users += 1;
      try {
        const reply = await acknowledged(await open(signal), request, signal);
        return toAnswer(reply);
      } catch (error) {
        // Nobody else waits for it: the next one starts afresh.
        if (users === 1) drop();
        throw error;
      } finally {
        users -= 1;
        if (users === 0 && socket !== undefined) idleTimer = setTimeout(drop, idleMs).unref();
      }
    },
    close() {
      closed = true;
      drop();
    },
  };
}

function toAnswer(reply: unknown): Answer {
  const status = typeof reply === 'object' && reply !== null && 'status' in reply ? Number(reply.status) : 0;
  return { status, body: reply, text: cut(JSON.stringify(reply ?? null), MAX_LOGGED) };
}

function connected(socket: ClientSocket, signal: AbortSignal): Promise<void> {
  if (socket.connected) return Promise.resolve();
  return settleOn(socket, signal, (resolve) => {
    const onConnect = (): void => {
      resolve();
    };
    socket.on('connect', onConnect);
    return () => socket.off('connect', onConnect);
  });
}

function acknowledged(socket: ClientSocket, request: EmitRequest, signal: AbortSignal): Promise<unknown> {
  return settleOn(socket, signal, (resolve) => {
    socket.emit('emit', request, resolve);
    return () => undefined;
  });
}

/** Settles with what `start` resolves to, or rejects when the connection fails or the signal is aborted. */
function settleOn<T>(
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
      fail(new Error('no answer in time over the socket'));
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
