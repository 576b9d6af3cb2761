import type { RequestHandler } from 'express';
import { AppError } from '../../errors.ts';
import type { ApiKeys } from '../../access/api-keys.ts';
import { type AuthFailures, countFailure } from './limit-rate.ts';

/**
 * Requires the internal key in `x-api-key`: 401 if it is missing, 403 if it is wrong, 429 after too many wrong ones from an
 * address. The right key is accepted from that address all the same.
 */
export function requireApiKey(keys: ApiKeys, failures: AuthFailures): RequestHandler {
  return (req, res, next) => {
    const given = req.get('x-api-key');
    if (!given) throw new AppError('API_KEY_MISSING', 'send the internal key in the header x-api-key');
    const fingerprint = keys.verify(given);
    if (!fingerprint) {
      countFailure('keys', failures, req);
      throw new AppError('API_KEY_WRONG', 'unknown x-api-key');
    }
    res.locals.keyFingerprint = fingerprint;
    next();
  };
}
