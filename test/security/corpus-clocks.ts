import { BAD_INSTANTS } from './corpus-dates.ts';
import type { BadFrame } from './corpus.ts';

/** Reports of a screen whose clock, or whose program, writes dates otherwise. None is counted, none ends the connection. */
export const CLOCK_FRAMES: readonly BadFrame[] = BAD_INSTANTS.map(([what, text]) => ({
  what: `a report accepted at ${what}`,
  packet: `2["emissions:seen",${JSON.stringify({ emissionId: 'a', acceptedAt: text })}]`,
  then: 'ignored',
}));

/** Claims of signed tokens by an issuer whose clock or units are wrong. Times are seconds, relative to now. */
export const CLOCK_TOKENS: readonly {
  what: string;
  claims: (now: number) => Record<string, unknown>;
  message: 'connected' | 'TOKEN_INVALID';
}[] = [
  { what: 'expired a second ago', claims: (now) => ({ exp: now - 1 }), message: 'TOKEN_INVALID' },
  { what: 'expired in 1970', claims: () => ({ exp: 0 }), message: 'TOKEN_INVALID' },
  { what: 'expired before 1970', claims: () => ({ exp: -1 }), message: 'TOKEN_INVALID' },
  { what: 'with an exp of text', claims: (now) => ({ exp: String(now + 60) }), message: 'TOKEN_INVALID' },
  {
    what: 'with an exp in ISO 8601',
    claims: () => ({ exp: '2099-01-01T00:00:00Z' }),
    message: 'TOKEN_INVALID',
  },
  { what: 'with an exp of null', claims: () => ({ exp: null }), message: 'TOKEN_INVALID' },
  { what: 'with an exp of true', claims: () => ({ exp: true }), message: 'TOKEN_INVALID' },
  { what: 'with an exp in an array', claims: (now) => ({ exp: [now + 60] }), message: 'TOKEN_INVALID' },
  { what: 'without an exp', claims: () => ({}), message: 'TOKEN_INVALID' },
  { what: 'with an exp of a fraction', claims: (now) => ({ exp: now + 60.5 }), message: 'connected' },
  // Timers hold 24.8 days: a longer one would end the connection at once.
  { what: 'with an exp in a year', claims: (now) => ({ exp: now + 31_536_000 }), message: 'connected' },
  { what: 'with an exp in milliseconds', claims: (now) => ({ exp: now * 1_000 }), message: 'connected' },
  { what: 'with an exp beyond every date', claims: () => ({ exp: 1e300 }), message: 'connected' },
  { what: 'for 20 s later', claims: (now) => ({ exp: now + 60, nbf: now + 20 }), message: 'connected' },
  {
    what: 'for an hour later',
    claims: (now) => ({ exp: now + 7_200, nbf: now + 3_600 }),
    message: 'TOKEN_INVALID',
  },
  { what: 'with an nbf of text', claims: (now) => ({ exp: now + 60, nbf: 'now' }), message: 'TOKEN_INVALID' },
  {
    what: 'with an nbf in milliseconds',
    claims: (now) => ({ exp: now + 60, nbf: now * 1_000 }),
    message: 'TOKEN_INVALID',
  },
  { what: 'with an nbf before 1970', claims: (now) => ({ exp: now + 60, nbf: -1e12 }), message: 'connected' },
  {
    what: 'issued in an hour',
    claims: (now) => ({ exp: now + 7_200, iat: now + 3_600 }),
    message: 'connected',
  },
];
