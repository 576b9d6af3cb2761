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

/** Counts each request of the caller that `callerOf` names; above the limit 429. Headers give the state of the limit. */
export function limitRate(
  name: string,
  rate: FleetRate,
  callerOf: (req: Request, res: Response) => string,
): RequestHandler {
  // draft-ietf-httpapi-ratelimit-headers
  const policy = `"${name}";q=${rate.limit};w=${rate.windowSeconds}`;
  return (req, res, next) => {
    const { isAllowed, remaining, resetSeconds } = rate.consume(callerOf(req, res));
    res.setHeader('RateLimit-Policy', policy);
    res.setHeader('RateLimit', `"${name}";r=${remaining};t=${resetSeconds}`);
    if (!isAllowed) throw tooMany(`requests of this ${name}`, { resetSeconds });
    next();
  };
}

/** 429. */
export function tooMany(what: string, { resetSeconds }: Pick<LimitStatus, 'resetSeconds'>): AppError {
  return new AppError('RATE_LIMITED', `too many ${what}; retry in ${resetSeconds} s`, {
    retryAfterSeconds: resetSeconds,
  });
}

/** The limits of the internal routes for the `/internal` namespace: by address, then by key. */
export function limitEmits(
  limits: { byAddress: FleetRate; byKey: FleetRate; addressOf: (req: IncomingMessage) => string },
  emit: (keyFingerprint: string, request: unknown) => Promise<EmitReply>,
): (keyFingerprint: string, request: unknown, from: IncomingMessage) => Promise<EmitReply> {
  const refused = (name: string, status: LimitStatus): Promise<EmitReply> => {
    const { code, message, retryAfterSeconds } = tooMany(`requests of this ${name}`, status);
    return Promise.resolve({ ...problem(code, message), retryAfterSeconds });
  };
  return (keyFingerprint, request, from) => {
    const ofAddress = limits.byAddress.consume(limits.addressOf(from));
    if (!ofAddress.isAllowed) return refused('address', ofAddress);
    const ofKey = limits.byKey.consume(keyFingerprint);
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
    const status = rate.consume(viewer.share);
    if (!status.isAllowed) throw tooMany('requests with this token', status);
    return viewer;
  };
}

/** Too many wrong tokens from an address are 429; a valid token from there is accepted all the same. */
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
  const status = rate.consume(addressOf(request));
  if (!status.isAllowed) throw tooMany(`wrong ${what} from this address`, status);
}
