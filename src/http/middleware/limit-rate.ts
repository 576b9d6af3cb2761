import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { EmitReply } from '@appointment-emissions/contracts';
import { AppError } from '../../errors.ts';
import type { FleetRate, LimitStatus } from '../../access/fleet-rate.ts';
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
export function tooMany(what: string, { resetSeconds }: Pick<LimitStatus, 'resetSeconds'>): AppError {
  return new AppError('RATE_LIMITED', `too many ${what}: wait for Retry-After`, {
    retryAfterSeconds: resetSeconds,
  });
}

/** The limits of the internal routes for the `/internal` namespace: by address, then by key. */
export function limitEmits(
  limits: { byAddress: FleetRate; byKey: FleetRate; addressOf: (req: IncomingMessage) => string },
  emit: (keyFingerprint: string, request: unknown) => Promise<EmitReply>,
): (keyFingerprint: string, request: unknown, from: IncomingMessage) => Promise<EmitReply> {
  const refused = (name: string, status: LimitStatus): Promise<EmitReply> => {
    const { code, message, retryAfterSeconds } = tooMany(`requests by ${name}`, status);
    return Promise.resolve({ ...problem(code, message), retryAfterSeconds });
  };
  return (keyFingerprint, request, from) => {
    const ofAddress = limits.byAddress.take(limits.addressOf(from));
    if (!ofAddress.isAllowed) return refused('address', ofAddress);
    const ofKey = limits.byKey.take(keyFingerprint);
    if (!ofKey.isAllowed) return refused('key', ofKey);
    return emit(keyFingerprint, request);
  };
}

/**
 * Counts each request with a good token by the viewer's share, never by the token's text: a client can spell one token in
 * many ways, and a user can have many tokens.
 */
export function limitViewers<T extends { share: string }>(
  rate: FleetRate,
  verify: (token: unknown, request: IncomingMessage) => Promise<T>,
): (token: unknown, request: IncomingMessage) => Promise<T> {
  return async (token, request) => {
    const viewer = await verify(token, request);
    const standing = rate.take(viewer.share);
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
