import { createServer } from 'node:net';

// Below the range (32768 up) from which Linux takes the ports of outgoing connections: while a service is down, no
// client that keeps reconnecting to it can be given the service's own port and so keep it from coming back.
const FIRST = 20_000;
const COUNT = 12_000;

/** A loopback port that nobody listens on at this moment. */
export async function freePort() {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port, '127.0.0.1')) return port;
  }
  throw new Error('found no free port on 127.0.0.1 in 100 attempts');
}

/**
 * @param {number} port
 * @param {string} [host]  without it: all interfaces, as a server that names none
 * @returns {Promise<boolean>}
 */
export function isFree(port, host) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
