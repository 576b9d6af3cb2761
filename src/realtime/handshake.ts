import { z } from 'zod';
import type { StreamPosition, TokenReply } from '@appointment-emissions/contracts';
import { boundedText } from '../domain/bounded.ts';
import { AppError } from '../errors.ts';

/** Shapes of the handshakes and events of dashboards and services. Anything else is refused. */
const streamPosition = z.object({ epoch: boundedText(64), offset: z.int().min(0) });

export const dashboardAuth = z.object({ token: z.string() });
export const tokenRenewal = z.strictObject({ token: z.string() });
export const internalAuth = z.object({ apiKey: z.string() });
export const seenReport = z.strictObject({
  emissionId: boundedText(200),
  acceptedAt: z.iso.datetime(),
});

/** In place of a position that cannot be parsed. Its dashboard may have missed anything and must reload. */
export const INVALID_POSITION = 'invalid';

/** In place of a position, for a dashboard whose scope has changed: what it shows must be replaced. */
export const SCOPE_CHANGED = 'scope';

/** A dashboard's position; `undefined` only if it sent none. */
export function parsePosition(sent: unknown): StreamPosition | typeof INVALID_POSITION | undefined {
  if (sent === undefined) return undefined;
  return streamPosition.safeParse(sent).data ?? INVALID_POSITION;
}

/** Separates a client's acknowledgement function, the last argument of its event, from the others. */
export function splitArguments(args: readonly unknown[]): {
  given: readonly unknown[];
  acknowledge: ((reply: unknown) => void) | undefined;
} {
  const last = args.at(-1);
  if (typeof last !== 'function') return { given: args, acknowledge: undefined };
  return { given: args.slice(0, -1), acknowledge: last as (reply: unknown) => void };
}

/** The error for a client whose handshake is refused: a message, and the code under `data`. */
export function refusal(error: unknown): Error {
  if (!(error instanceof AppError)) return new Error('the token could not be checked');
  return Object.assign(new Error(error.message), { data: { code: error.code } });
}

/** The acknowledgement of a token that is refused. */
export function refusalReply(error: unknown): TokenReply {
  const { code = 'TOKEN_INVALID' } = error instanceof AppError ? error : {};
  return { ok: false, code, message: refusal(error).message };
}
