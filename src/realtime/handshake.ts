import { z } from 'zod';
import type { StreamPosition } from '@appointment-emissions/contracts';

/** Shapes of what dashboards and services send; what does not fit is refused. */
const place = z.object({ epoch: z.string().min(1).max(64), offset: z.int().min(0) });

export const dashboardAuth = z.object({ token: z.string() });
export const internalAuth = z.object({ apiKey: z.string() });
export const seenReport = z.strictObject({
  emissionId: z.string().min(1).max(200),
  acceptedAt: z.iso.datetime(),
});

/** A position that was given, but is none: its dashboard may have missed anything. */
export const INVALID_POSITION = 'invalid';

/** A dashboard's position; `undefined` only where it gave none. */
export function parsePosition(given: unknown): StreamPosition | typeof INVALID_POSITION | undefined {
  if (given === undefined) return undefined;
  return place.safeParse(given).data ?? INVALID_POSITION;
}

/** A client's acknowledgement function is the last argument of its event, if it gives one. */
export function splitArguments(args: readonly unknown[]): {
  given: readonly unknown[];
  acknowledge: ((reply: unknown) => void) | undefined;
} {
  const last = args.at(-1);
  if (typeof last !== 'function') return { given: args, acknowledge: undefined };
  return { given: args.slice(0, -1), acknowledge: last as (reply: unknown) => void };
}
