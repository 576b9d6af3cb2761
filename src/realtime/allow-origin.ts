import type { IncomingMessage } from 'node:http';
import { isOfHost, normalOrigin } from '../access/own-origin.ts';

/**
 * Whether a browser's page may open a socket here. Browsers check CORS for polling only, so the server checks the
 * Origin of every handshake itself: pages of the listed origins, our own page, and clients that are no browser.
 */
export function createOriginCheck(origins: readonly string[]): (request: IncomingMessage) => boolean {
  const listed = new Set<string | undefined>(origins);
  return ({ headers: { origin, host } }) =>
    listed.size === 0 || origin === undefined || listed.has(normalOrigin(origin)) || isOfHost(origin, host);
}
