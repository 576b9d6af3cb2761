import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { within } from '../process/lifecycle.ts';

export interface StopServingDeps {
  server: Server;
  /** Ends the sockets of the gateway and stops listening; resolves when every connection has ended. */
  closeSockets: () => Promise<void>;
  /** Duration of {@link Serving.drain}. */
  drainMs: number;
  pause: (ms: number) => Promise<void>;
}

export interface Serving {
  isDraining: () => boolean;
  /** Makes `/readyz` 503 and still serves, until load balancers have stopped sending. Idempotent. */
  drain: () => Promise<void>;
  /** After {@link drain}. Resolves when the last connection has ended or was destroyed. */
  stop: () => Promise<void>;
}

/** The longest answer takes 2 s. */
const ANSWER_LIMIT_MS = 3_000;
const CLOSE_IDLE_EVERY_MS = 25;

/**
 * Ends a server without failed requests. First `/readyz` is 503 and answers have `Connection: close`. Then the server stops
 * listening, ends the sockets, and answers the requests in progress.
 */
export function createServing({ server, closeSockets, drainMs, pause }: StopServingDeps): Serving {
  const connections = new Set<Socket>();
  let draining: Promise<void> | undefined;
  server.on('connection', (connection: Socket) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  server.prependListener('request', (_req, res) => {
    if (draining) res.setHeader('Connection', 'close');
  });

  return {
    isDraining: () => draining !== undefined,
    drain: () => (draining ??= pause(drainMs)),
    async stop() {
      // A connection can become idle after `close` has checked it.
      const closeIdle = setInterval(() => {
        server.closeIdleConnections();
      }, CLOSE_IDLE_EVERY_MS);
      try {
        await within(ANSWER_LIMIT_MS, 'the last requests', closeSockets());
      } catch {
        for (const connection of connections) connection.destroy();
      } finally {
        clearInterval(closeIdle);
      }
    },
  };
}
