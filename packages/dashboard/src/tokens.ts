import { readLifetime, renewalDelayMs } from './token-lifetime.ts';

export interface Tokens {
  /** The token held, unless it has expired or was refused; else a new one. Rejects while too many were refused. */
  current: () => Promise<string>;
  /** Asks for a new one, and holds it if it lasts longer; true where it does. */
  renew: () => Promise<boolean>;
  /** The server took this one. */
  accept: (token: string) => void;
  /** The server did not take this one: never use it again. */
  refuse: (token: string) => void;
  /** How long to wait before the token held is renewed; undefined where that is of no use. */
  renewalDelayMs: () => number | undefined;
}

export interface TokensDeps {
  getToken: () => Promise<string>;
  /** Bound of the first pause after too many refusals; it doubles with each. */
  firstPauseMs: number;
  /** Milliseconds that no setting of the clock changes. */
  elapsed?: () => number;
  /** Milliseconds since 1970, by a clock that may be wrong. */
  now?: () => number;
}

interface Held {
  token: string;
  /** By `elapsed`. */
  receivedAt: number;
  endsAt: number;
  isAccepted: boolean;
}

/** A token may have been refused since it was old, and its successor for a cause that passes. */
const REFUSALS_WITHOUT_PAUSE = 2;
const LONGEST_PAUSE = 64;
/** Without `iat` a lifetime is judged by a clock that may be wrong: then renewals must not follow at once. */
const SHORTEST_UNSURE_RENEWAL_MS = 30_000;

/**
 * Holds the token, so that a reconnection after an outage does not ask for a new one. Its lifetime, `exp` - `iat`, is counted
 * from when it was received: a browser's clock may be hours off.
 */
export function createTokens(deps: TokensDeps): Tokens {
  const { getToken, firstPauseMs, elapsed = () => performance.now(), now = Date.now } = deps;
  let held: Held | undefined;
  let asked: Promise<Held> | undefined;
  let refusedInARow = 0;
  let pausedUntil = -Infinity;

  const ask = () =>
    (asked ??= Promise.resolve()
      .then(getToken)
      .then(requireText)
      .then((token) => (held?.token === token ? held : receive(token)))
      .finally(() => {
        asked = undefined;
      }));

  function receive(token: string): Held {
    const lifetime = readLifetime(token);
    const receivedAt = elapsed();
    const lifetimeMs = lifetime && lifetime.expiresAt - (lifetime.issuedAt ?? now());
    // Without `iat`, one that seems to have expired already says more of our clock than of the token.
    const isKnown = lifetimeMs !== undefined && (lifetime?.issuedAt !== undefined || lifetimeMs > 0);
    return { token, receivedAt, endsAt: isKnown ? receivedAt + lifetimeMs : Infinity, isAccepted: false };
  }

  return {
    async current() {
      if (held && held.endsAt > elapsed()) return held.token;
      const waitMs = pausedUntil - elapsed();
      if (waitMs > 0) {
        throw new Error(
          `the server refused ${refusedInARow} tokens in a row; the next is asked for in ${Math.ceil(waitMs / 1_000)} s: ` +
            'check what getToken gives, and the clocks of the server and of the issuer of tokens',
        );
      }
      held = await ask();
      return held.token;
    },
    async renew() {
      const before = held;
      const later = await ask();
      if (before && (later === before || later.endsAt <= before.endsAt)) return false;
      held = later;
      return true;
    },
    accept(token) {
      if (held?.token === token) held.isAccepted = true;
      refusedInARow = 0;
    },
    refuse(token) {
      if (held?.token !== token) return;
      if (!held.isAccepted) refusedInARow += 1;
      held = undefined;
      const pauses = refusedInARow - REFUSALS_WITHOUT_PAUSE;
      if (pauses > 0) pausedUntil = elapsed() + firstPauseMs * Math.min(2 ** (pauses - 1), LONGEST_PAUSE);
    },
    renewalDelayMs() {
      const lifetime = held && readLifetime(held.token);
      if (!held || !lifetime || held.endsAt === Infinity) return undefined;
      // As if our clock were the issuer's.
      const time = lifetime.expiresAt - (held.endsAt - elapsed());
      const delayMs = renewalDelayMs(lifetime, time);
      const isSure = lifetime.issuedAt !== undefined;
      return delayMs === undefined || isSure ? delayMs : Math.max(delayMs, SHORTEST_UNSURE_RENEWAL_MS);
    },
  };
}

/** An app written in JavaScript may give anything. */
function requireText(token: unknown): string {
  if (typeof token === 'string' && token.trim() !== '') return token.trim();
  throw new TypeError('getToken gave no token: it must resolve to a string that is not empty');
}
