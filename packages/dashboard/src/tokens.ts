import { createAlarm } from './timers.ts';
import { comparableClaims, expiryOf, timeToRenewal } from './token-lifetime.ts';

/** Caches the dashboard's token. */
export interface Tokens {
  /**
   * Returns the cached token, or requests a new one if it has expired or was refused. Rejects during the pause after repeated
   * refusals.
   */
  current: () => Promise<string>;
  /** Requests a new token and caches it if it expires later. Resolves to true if it does. */
  renew: () => Promise<boolean>;
  /**
   * Records that the server accepted a token. Returns true if its claims differ from those of the token accepted before: it may show
   * other appointments.
   */
  accept: (token: string) => boolean;
  /** Records that the server refused a token, and removes it from the cache. */
  refuse: (token: string) => void;
  /** Time until the cached token should be renewed; undefined if renewal is not possible. */
  renewalDelayMs: () => number | undefined;
  /** Stops the timer of a pending request. */
  close: () => void;
}

export interface TokensDeps {
  getToken: () => Promise<string>;
  /** Time after which a request fails if `getToken` has not settled. */
  timeoutMs: number;
  /** Length of the first pause after too many refusals. It doubles with each further refusal. */
  firstPauseMs: number;
  /** Monotonic clock, in milliseconds. */
  elapsed?: () => number;
  /** Wall clock, in milliseconds since 1970. It may be wrong. */
  now?: () => number;
}

interface CachedToken {
  token: string;
  /** Time of `elapsed`; Infinity if unknown. */
  endsAt: number;
  isAccepted: boolean;
}

/** The first refusal may be due to an old token, the second to a temporary fault. */
const REFUSALS_WITHOUT_PAUSE = 2;
/** Upper limit of a pause, as a multiple of the first one. */
const MAX_PAUSE_FACTOR = 64;

/**
 * Creates a cache for one token, so that reconnecting after an outage does not request a new one. The lifetime of a token, `exp` -
 * `iat`, is counted from its receipt, because the clock of a browser may be hours off.
 */
export function createTokens(deps: TokensDeps): Tokens {
  const { firstPauseMs, elapsed = () => performance.now(), now = Date.now } = deps;
  let cached: CachedToken | undefined;
  let acceptedClaims: string | undefined;
  let refusedInARow = 0;
  let pausedUntil = -Infinity;

  const requests = createRequests(deps, (token) => ({
    token,
    endsAt: expiryOf(token, elapsed(), now),
    isAccepted: false,
  }));

  /** @param minEndsAt a late token is used only if it ends after this time */
  async function requestToken(minEndsAt: number): Promise<CachedToken> {
    const received = await requests.request(({ endsAt }) => endsAt > minEndsAt);
    return cached?.token === received.token ? cached : received;
  }

  return {
    async current() {
      if (cached && cached.endsAt > elapsed()) return cached.token;
      const waitMs = pausedUntil - elapsed();
      if (waitMs > 0) {
        throw new Error(
          `the server refused ${refusedInARow} tokens in a row; requesting the next in ${Math.ceil(waitMs / 1_000)} s. ` +
            'Check the tokens that getToken returns, and the clocks of the server and of the token issuer.',
        );
      }
      cached = await requestToken(elapsed());
      return cached.token;
    },
    async renew() {
      const before = cached;
      const later = await requestToken(before?.endsAt ?? elapsed());
      if (before && (later === before || later.endsAt <= before.endsAt)) return false;
      cached = later;
      return true;
    },
    accept(token) {
      refusedInARow = 0;
      if (cached?.token !== token) return false;
      cached.isAccepted = true;
      const before = acceptedClaims;
      acceptedClaims = comparableClaims(token);
      return before !== undefined && before !== acceptedClaims;
    },
    refuse(token) {
      if (cached?.token !== token) return;
      if (!cached.isAccepted) refusedInARow += 1;
      cached = undefined;
      const pauses = refusedInARow - REFUSALS_WITHOUT_PAUSE;
      if (pauses > 0) pausedUntil = elapsed() + firstPauseMs * Math.min(2 ** (pauses - 1), MAX_PAUSE_FACTOR);
    },
    renewalDelayMs: () => cached && timeToRenewal(cached.token, cached.endsAt, elapsed()),
    close: requests.close,
  };
}

/**
 * Calls `getToken`, one call at a time. A call that does not settle in time is given up. If its token arrives later, it is the
 * result of the pending request, or of the next one if no other token has arrived since.
 * @param toReceived called when a token arrives
 */
function createRequests({ getToken, timeoutMs }: TokensDeps, toReceived: (token: string) => CachedToken) {
  const timeout = createAlarm();
  let pending: Promise<CachedToken> | undefined;
  let resolvePending: ((received: CachedToken) => void) | undefined;
  /** True from a timeout until a token arrives. */
  let isTokenMissing = false;
  let late: CachedToken | undefined;

  function onToken(token: string): void {
    if (resolvePending) resolvePending(toReceived(token));
    else if (isTokenMissing) late = toReceived(token);
    isTokenMissing = false;
  }

  function call(resolve: (received: CachedToken) => void, reject: (error: unknown) => void): void {
    resolvePending = resolve;
    timeout.set(timeoutMs, () => {
      isTokenMissing = true;
      reject(new Error(`getToken has not settled for ${timeoutMs / 1_000} s; it will be called again`));
    });
    Promise.resolve().then(getToken).then(requireText).then(onToken, reject);
  }

  return {
    /** @param isUsable decides whether a late token is the result; otherwise `getToken` is called */
    request(isUsable: (late: CachedToken) => boolean): Promise<CachedToken> {
      const received = late;
      late = undefined;
      if (received && isUsable(received)) return Promise.resolve(received);
      return (pending ??= new Promise(call).finally(() => {
        pending = resolvePending = undefined;
        timeout.clear();
      }));
    },
    close: timeout.clear,
  };
}

/** An app written in JavaScript may return anything. */
function requireText(token: unknown): string {
  if (typeof token === 'string' && token.trim() !== '') return token.trim();
  throw new TypeError('getToken did not resolve to a token: it must resolve to a non-empty string');
}
