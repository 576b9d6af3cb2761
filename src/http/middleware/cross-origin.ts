import type { RequestHandler } from 'express';
import { isOfHost, normalOrigin } from '../../access/own-origin.ts';
import { AppError } from '../../errors.ts';
import { isRead } from './basic-auth.ts';

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

/**
 * Rejects changes requested by a page of another site: a browser adds an operator's credentials to such a request.
 * Programs send neither header and pass. A proxy in front must keep the Host.
 */
export const requireSameOrigin: RequestHandler = (req, _res, next) => {
  if (!isRead(req)) {
    const site = req.get('sec-fetch-site');
    const origin = req.get('origin');
    const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
    if (foreignSite || (origin !== undefined && !isOfHost(origin, req.get('host')))) {
      throw new AppError('CROSS_ORIGIN', 'only pages of this server may request changes');
    }
  }
  next();
};
