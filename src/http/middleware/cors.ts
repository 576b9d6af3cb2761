import type { RequestHandler } from 'express';
import { normalOrigin } from '../../access/own-origin.ts';

const PREFLIGHT_SECONDS = '600';

/** Allows pages of these origins to read the answers. For other origins the browser refuses it. */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  const listed = new Set<string | undefined>(origins);
  return (req, res, next) => {
    res.vary('Origin');
    const origin = req.get('origin');
    if (origin === undefined || !listed.has(normalOrigin(origin))) {
      next();
      return;
    }
    res.set('Access-Control-Allow-Origin', origin);
    if (req.method !== 'OPTIONS') {
      next();
      return;
    }
    res.set('Access-Control-Allow-Methods', 'GET').set('Access-Control-Allow-Headers', 'authorization');
    res.set('Access-Control-Max-Age', PREFLIGHT_SECONDS).status(204).end();
  };
}
