import type { IncomingMessage } from 'node:http';

/**
 * Whether a browser's page may open a socket here. Browsers check CORS for polling only, so the server checks the
 * Origin of every handshake itself: pages of the listed origins, our own page, and clients that are no browser.
 */
export function createOriginCheck(origins: readonly string[]): (request: IncomingMessage) => boolean {
  const listed = new Set(origins);
  return ({ headers: { origin, host } }) =>
    listed.size === 0 || origin === undefined || listed.has(origin) || hostOf(origin) === host;
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
