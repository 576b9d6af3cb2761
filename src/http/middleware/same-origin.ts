import type { RequestHandler } from 'express';
import { AppError } from '../../errors.ts';
import { isOfHost } from '../../access/own-origin.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Rejects changes requested by a page of another site: a browser adds an operator's credentials to such a request.
 * Programs send neither header and pass. A proxy in front must keep the Host.
 */
export const requireSameOrigin: RequestHandler = (req, _res, next) => {
  if (!READS.has(req.method)) {
    const site = req.get('sec-fetch-site');
    const origin = req.get('origin');
    const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
    if (foreignSite || (origin !== undefined && !isOfHost(origin, req.get('host')))) {
      throw new AppError('CROSS_ORIGIN', 'changes are accepted from pages of this server only');
    }
  }
  next();
};
