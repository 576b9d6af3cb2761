export interface TokenLifetime {
  /** Milliseconds since 1970; undefined where the token does not say. */
  issuedAt: number | undefined;
  expiresAt: number;
}

const MARGIN_MS = 60_000;
const MARGIN_SHARE = 0.1;
/** With less left the server's own disconnect is as good. */
const LEAST_MS = 2_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a JWT says of its lifetime, unverified: for planning only. Undefined where it can't be read or never ends. */
export function readLifetime(token: string): TokenLifetime | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    if (typeof claims !== 'object' || claims === null) return undefined;
    const { exp, iat } = claims as { exp?: unknown; iat?: unknown };
    if (typeof exp !== 'number') return undefined;
    return { issuedAt: typeof iat === 'number' ? iat * 1000 : undefined, expiresAt: exp * 1000 };
  } catch {
    return undefined;
  }
}

/**
 * How long to wait before a later token is asked for: until a tenth of the lifetime, but at most a minute, is left.
 * Where that has passed, until half of what is left. Undefined where too little is left.
 * @param now by the clock of who issued it, as far as that is known
 */
export function renewalDelayMs({ issuedAt, expiresAt }: TokenLifetime, now: number): number | undefined {
  const leftMs = expiresAt - now;
  if (leftMs < LEAST_MS) return undefined;
  const lifetimeMs = issuedAt === undefined ? leftMs : Math.max(expiresAt - issuedAt, 0);
  const marginMs = Math.min(MARGIN_MS, lifetimeMs * MARGIN_SHARE);
  return Math.min(leftMs > marginMs ? leftMs - marginMs : leftMs / 2, LONGEST_TIMER_MS);
}
