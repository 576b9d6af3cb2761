import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { within } from '../process/lifecycle.ts';

export interface StopServingDeps {
  server: Server;
  /** Ends the sockets of the gateway and stops listening; resolves when every connection has ended. */
  closeSockets: () => Promise<void>;
  /** How long to go on serving while `/readyz` already says no: load balancers need that long to look elsewhere. */
  drainMs: number;
  pause: (ms: number) => Promise<void>;
}

export interface Serving {
  isDraining: () => boolean;
  /** Resolves when the last connection has ended, by itself or not. */
  stop: () => Promise<void>;
}

/** The longest answer takes 2 s. */
const ANSWER_LIMIT_MS = 3_000;
const LOOK_FOR_IDLE_MS = 25;

/**
 * Ends a server so that nobody notices: first it only says that it is leaving, and answers go with
 * `Connection: close`; then it stops listening and ends the sockets, and requests under way are answered.
 */
export function createServing({ server, closeSockets, drainMs, pause }: StopServingDeps): Serving {
  const connections = new Set<Socket>();
  let draining = false;
  server.on('connection', (connection: Socket) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  server.prependListener('request', (_req, res) => {
    if (draining) res.setHeader('Connection', 'close');
  });

  return {
    isDraining: () => draining,
    async stop() {
      draining = true;
      await pause(drainMs);
      // A connection that was kept alive for its last answer becomes idle only after `close` has looked.
      const closeIdle = setInterval(() => {
        server.closeIdleConnections();
      }, LOOK_FOR_IDLE_MS);
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
