import type { Request, RequestHandler } from 'express';
import { AppError } from '../../errors.ts';
import { type ApiKeys, createApiKeys } from '../../access/api-keys.ts';
import { problem, sendProblem } from '../problem.ts';
import { type AuthFailures, countFailure } from './limit-rate.ts';

/**
 * Requires the internal key in `x-api-key`: 401 if it is missing, 403 if it is wrong, 429 after too many wrong ones from an
 * address. The right key is accepted from that address all the same.
 */
export function requireApiKey(keys: ApiKeys, failures: AuthFailures): RequestHandler {
  return (req, res, next) => {
    res.locals.keyFingerprint = fingerprintOf(keys, req, () => {
      countFailure('keys', failures, req);
    });
    next();
  };
}

/** The same without limits, for routes of an existing application. It answers refusals itself. */
export function authenticateService(acceptedKeys: readonly string[]): RequestHandler {
  const keys = createApiKeys(acceptedKeys);
  return (req, res, next) => {
    try {
      fingerprintOf(keys, req);
    } catch (error) {
      const { code, message } = error as AppError;
      sendProblem(res, problem(code, message));
      return;
    }
    next();
  };
}

/** @throws AppError API_KEY_MISSING, API_KEY_WRONG; what `onWrong` throws */
function fingerprintOf(keys: ApiKeys, req: Request, onWrong: () => void = () => undefined): string {
  const given = req.get('x-api-key');
  if (!given) throw new AppError('API_KEY_MISSING', 'the header x-api-key is missing');
  const fingerprint = keys.verify(given);
  if (!fingerprint) {
    onWrong();
    throw new AppError('API_KEY_WRONG', 'the key in the header x-api-key is not valid');
  }
  return fingerprint;
}
