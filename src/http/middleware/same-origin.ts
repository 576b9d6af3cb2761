import type { RequestHandler } from 'express';
import { AppError } from '../../errors.ts';
import { isOfHost } from '../../access/own-origin.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses changes that another site's page asks for: browsers send an operator's credentials along by themselves.
 * Programs send neither header and pass. A proxy in front must keep the Host.
 */
export const requireSameOrigin: RequestHandler = (req, _res, next) => {
  if (!READS.has(req.method)) {
    const site = req.get('sec-fetch-site');
    const origin = req.get('origin');
    const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
    if (foreignSite || (origin !== undefined && !isOfHost(origin, req.get('host')))) {
      throw new AppError('CROSS_ORIGIN', 'changes are taken from our own pages only');
    }
  }
  next();
};
