import { freePort } from '../process/free-port.mjs';

const TRIES = 3;

/**
 * Between finding a free port and binding it another process may take it; then another port will do.
 * @template T
 * @param {number | undefined} port  given: this one or none
 * @param {(port: number) => Promise<T>} start
 * @returns {Promise<T>}
 */
export async function startOnFreePort(port, start) {
  if (port !== undefined) return start(port);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = /address already in use|EADDRINUSE/i.test(/** @type {Error} */ (error).message);
      if (!taken || attempt === TRIES) throw error;
    }
  }
}
