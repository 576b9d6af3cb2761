import { createServer } from 'node:net';
import getPort from 'get-port';

// Below the range (32768 up) from which Linux takes the ports of outgoing connections: while a service is down, a client
// that keeps reconnecting to it could otherwise be given the service's own port, and block its restart.
const FIRST_PORT = 20_000;
const PORT_COUNT = 12_000;
const CANDIDATES = 100;
const MAX_TRIES = 3;

/** A loopback port that is free at this moment. */
export function freePort(): Promise<number> {
  const random = (): number => FIRST_PORT + Math.floor(Math.random() * PORT_COUNT);
  return getPort({ host: '127.0.0.1', port: Array.from({ length: CANDIDATES }, random) });
}

/**
 * Whether a server that names no host could listen on the port.
 * @throws if the port cannot be used, for example EACCES; get-port reports that as "not free"
 */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ port, exclusive: true }, () =>
      server.close(() => {
        resolve(true);
      }),
    );
  });
}

/**
 * Starts a server on `port`, or on a free one. Another process can take a free port before the server listens on it:
 * then another one is tried.
 */
export async function startOnFreePort<T>(
  port: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T> {
  if (port !== undefined) return start(port);
  for (let tries = 1; ; tries += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      const isTaken = error instanceof Error && /address already in use|EADDRINUSE/i.test(error.message);
      if (!isTaken || tries === MAX_TRIES) throw error;
    }
  }
}
