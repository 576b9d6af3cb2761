import type { RequestHandler } from 'express';
import { AppError } from '../../errors.ts';
import type { ApiKeys } from '../../access/api-keys.ts';
import { type AuthFailures, countFailure } from './limit-rate.ts';

/**
 * Asks for the internal key in `x-api-key`. 401 without one, 403 for a wrong one, 429 for too many of those from an
 * address; the right key is taken from there all the same.
 */
export function requireApiKey(keys: ApiKeys, failures: AuthFailures): RequestHandler {
  return (req, res, next) => {
    const given = req.get('x-api-key');
    if (!given) throw new AppError('API_KEY_MISSING', 'send the internal key in the header x-api-key');
    const fingerprint = keys.verify(given);
    if (!fingerprint) {
      countFailure('keys', failures, req);
      throw new AppError('API_KEY_WRONG', 'this x-api-key is not known');
    }
    res.locals.keyFingerprint = fingerprint;
    next();
  };
}
