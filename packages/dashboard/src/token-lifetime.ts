export interface TokenLifetime {
  /** Milliseconds since 1970; undefined if the token has no `iat`. */
  issuedAt: number | undefined;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

const MARGIN_MS = 60_000;
const MARGIN_SHARE = 0.1;
/** A token with less time left is not renewed: the server disconnects the socket soon anyway. */
const MIN_LEFT_MS = 2_000;
/** Without `iat` the remaining lifetime depends on a clock that may be wrong. This delay prevents constant renewals. */
const MIN_UNSURE_RENEWAL_MS = 30_000;
/** The longest delay that `setTimeout` supports. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Reads the lifetime of a JWT without verifying it, for scheduling only. Returns undefined if the token cannot be parsed or has
 * no `exp`.
 */
export function readLifetime(token: string): TokenLifetime | undefined {
  const { exp, iat } = readClaims(token) ?? {};
  if (typeof exp !== 'number') return undefined;
  return { issuedAt: typeof iat === 'number' ? iat * 1000 : undefined, expiresAt: exp * 1000 };
}

/** Claims that differ between two tokens of one sign-in. */
const OWN_CLAIMS = ['exp', 'iat', 'nbf', 'jti'];

/**
 * The claims that decide what a token shows, as text to compare: all but its times and its id. Empty if the token is not a JWT.
 */
export function comparableClaims(token: string): string {
  const claims = Object.entries(readClaims(token) ?? {}).filter(([name]) => !OWN_CLAIMS.includes(name));
  return JSON.stringify(claims.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function readClaims(token: string): Record<string, unknown> | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the time until a token should be renewed: when a tenth of its lifetime, but at most a minute, is left. If that time has
 * passed, it returns half of the time left. It returns undefined if the token is about to expire or has expired.
 * @param now ms since 1970 by the issuer's clock, as far as it is known
 */
export function renewalDelayMs({ issuedAt, expiresAt }: TokenLifetime, now: number): number | undefined {
  const leftMs = expiresAt - now;
  if (leftMs < MIN_LEFT_MS) return undefined;
  const lifetimeMs = issuedAt === undefined ? leftMs : Math.max(expiresAt - issuedAt, 0);
  const marginMs = Math.min(MARGIN_MS, lifetimeMs * MARGIN_SHARE);
  return Math.min(leftMs > marginMs ? leftMs - marginMs : leftMs / 2, MAX_TIMER_MS);
}

/** When a token that was received at `receivedAt` expires, as a time of `elapsed`; Infinity if unknown. */
export function expiryOf(token: string, receivedAt: number, now: () => number): number {
  const lifetime = readLifetime(token);
  if (lifetime === undefined) return Infinity;
  const lifetimeMs = lifetime.expiresAt - (lifetime.issuedAt ?? now());
  // A new token without `iat` that seems to have expired is a sign that the local clock is wrong.
  const isKnown = lifetime.issuedAt !== undefined || lifetimeMs > 0;
  return isKnown ? receivedAt + lifetimeMs : Infinity;
}

/** Like {@link renewalDelayMs}, with times of a monotonic clock: the token's expiry and the current time. */
export function timeToRenewal(token: string, endsAt: number, elapsed: number): number | undefined {
  const lifetime = readLifetime(token);
  if (lifetime === undefined || endsAt === Infinity) return undefined;
  const delayMs = renewalDelayMs(lifetime, lifetime.expiresAt - (endsAt - elapsed));
  if (delayMs === undefined || lifetime.issuedAt !== undefined) return delayMs;
  return Math.max(delayMs, MIN_UNSURE_RENEWAL_MS);
}
