import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { EmitReply } from '@appointment-emissions/contracts';
import { AppError } from '../../errors.ts';
import type { FleetRate, Standing } from '../../access/fleet-rate.ts';
import { problem } from '../problem.ts';

/** Failed authentications, counted by address. */
export interface AuthFailures {
  rate: FleetRate;
  addressOf: (req: IncomingMessage) => string;
}

/** Counts each request by what `who` names; above the limit 429. The answer says where the caller stands. */
export function limitRate(
  name: string,
  rate: FleetRate,
  who: (req: Request, res: Response) => string,
): RequestHandler {
  return (req, res, next) => {
    const { isAllowed, limit, windowSeconds, remaining, resetSeconds } = rate.take(who(req, res));
    // draft-ietf-httpapi-ratelimit-headers
    res.setHeader('RateLimit-Policy', `"${name}";q=${limit};w=${windowSeconds}`);
    res.setHeader('RateLimit', `"${name}";r=${remaining};t=${resetSeconds}`);
    if (!isAllowed) throw tooMany(`requests by ${name}`, { resetSeconds });
    next();
  };
}

/** 429. */
export function tooMany(what: string, { resetSeconds }: Pick<Standing, 'resetSeconds'>): AppError {
  return new AppError('RATE_LIMITED', `too many ${what}: wait for Retry-After`, {
    retryAfterSeconds: resetSeconds,
  });
}

/** The same limit for the `/internal` namespace, by key. */
export function limitEmits(
  rate: FleetRate,
  emit: (keyFingerprint: string, request: unknown) => Promise<EmitReply>,
): (keyFingerprint: string, request: unknown) => Promise<EmitReply> {
  return (keyFingerprint, request) => {
    const standing = rate.take(keyFingerprint);
    if (standing.isAllowed) return emit(keyFingerprint, request);
    const { code, message, retryAfterSeconds } = tooMany('requests by key', standing);
    return Promise.resolve({ ...problem(code, message), retryAfterSeconds });
  };
}

/** The same for whatever a token is shown for: counted once it has been found good. */
export function limitTokens<T>(
  rate: FleetRate,
  verify: (token: unknown, request: IncomingMessage) => Promise<T>,
): (token: unknown, request: IncomingMessage) => Promise<T> {
  return async (token, request) => {
    const viewer = await verify(token, request);
    const standing = rate.take(String(token));
    if (!standing.isAllowed) throw tooMany('requests with this token', standing);
    return viewer;
  };
}

/** After too many wrong tokens from an address it is told to wait; a good one is taken from there all the same. */
export function limitFailures<T>(
  failures: AuthFailures,
  verify: (token: unknown) => Promise<T>,
): (token: unknown, request: IncomingMessage) => Promise<T> {
  return async (token, request) => {
    try {
      return await verify(token);
    } catch (error) {
      if (error instanceof AppError && error.code === 'TOKEN_INVALID')
        countFailure('tokens', failures, request);
      throw error;
    }
  };
}

/** @throws AppError RATE_LIMITED */
export function countFailure(
  what: string,
  { rate, addressOf }: AuthFailures,
  request: IncomingMessage,
): void {
  const standing = rate.take(addressOf(request));
  if (!standing.isAllowed) throw tooMany(`wrong ${what} from this address`, standing);
}
