import { readLifetime } from './token-lifetime.ts';

export interface Tokens {
  /** The token held, unless it has expired or was refused; else a new one. */
  current: () => Promise<string>;
  /** Asks for a new one, and holds it if it lasts longer; true where it does. */
  renew: () => Promise<boolean>;
  /** The server did not take this one: never use it again. */
  refuse: (token: string) => void;
}

const expiresAt = (token: string | undefined) =>
  token === undefined ? 0 : (readLifetime(token)?.expiresAt ?? Infinity);

/** Holds the token, so that a reconnection after an outage does not ask for a new one. */
export function createTokens(getToken: () => Promise<string>): Tokens {
  let held: string | undefined;
  let asked: Promise<string> | undefined;

  const ask = () =>
    (asked ??= Promise.resolve()
      .then(getToken)
      .finally(() => {
        asked = undefined;
      }));

  return {
    async current() {
      if (held === undefined || expiresAt(held) <= Date.now()) held = await ask();
      return held;
    },
    async renew() {
      const before = held;
      const token = await ask();
      if (token === before || expiresAt(token) <= expiresAt(before)) return false;
      held = token;
      return true;
    },
    refuse(token) {
      if (held === token) held = undefined;
    },
  };
}
