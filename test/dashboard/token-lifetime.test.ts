import { describe, expect, test } from '@jest/globals';
import {
  comparableClaims,
  expiryOf,
  readLifetime,
  renewalDelayMs,
  timeToRenewal,
} from '../../packages/dashboard/src/token-lifetime.ts';

const base64url = (text: string) => Buffer.from(text).toString('base64url');
/** A token with these claims. */
const tokenOf = (claims: object) => `h.${base64url(JSON.stringify(claims))}.s`;

describe('the lifetime of a token', () => {
  test('is read from its payload', () => {
    const token = `h.${base64url('{"iat":100,"exp":160,"name":"Zoë ~~~???"}')}.s`;
    expect(readLifetime(token)).toEqual({ issuedAt: 100_000, expiresAt: 160_000 });
  });

  test('has no issue time without a numeric iat', () => {
    expect(readLifetime(tokenOf({ exp: 160 }))).toEqual({ issuedAt: undefined, expiresAt: 160_000 });
    expect(readLifetime(tokenOf({ exp: 160, iat: '100' }))?.issuedAt).toBeUndefined();
  });

  test('is read from payloads with all characters of base64url', () => {
    expect(base64url('{"exp":7,"a":"??>>~~"}')).toMatch(/-.*_|_.*-/);
    expect(readLifetime(`h.${base64url('{"exp":7,"a":"??>>~~"}')}.s`)?.expiresAt).toBe(7_000);
    expect(readLifetime(`h.${base64url('{"exp":7,"a":">>>>>>??????"}')}.s`)?.expiresAt).toBe(7_000);
  });

  test.each([['opaque'], ['a.b.c'], [`h.${base64url('null')}.s`], [`h.${base64url('{"exp":"soon"}')}.s`]])(
    'is unknown if the token has no valid exp: %s',
    (token) => {
      expect(readLifetime(token)).toBeUndefined();
    },
  );
});

describe('the renewal of a token', () => {
  const hour = 3_600_000;
  test.each([
    ['a minute before a long one expires', { issuedAt: 0, expiresAt: hour }, 0, hour - 60_000],
    ['after 90 % of a short lifetime', { issuedAt: 0, expiresAt: 100_000 }, 0, 90_000],
    [
      'after half of the time left, if the usual time has passed',
      { issuedAt: 0, expiresAt: hour },
      hour - 40_000,
      20_000,
    ],
    [
      'never, if the token has expired by the local clock',
      { issuedAt: 0, expiresAt: hour },
      hour + 1,
      undefined,
    ],
    ['never, if less than two seconds are left', { issuedAt: 0, expiresAt: hour }, hour - 1_999, undefined],
    ['half of exactly two seconds before', { issuedAt: 0, expiresAt: hour }, hour - 2_000, 1_000],
    ['after half of exactly the margin', { issuedAt: 0, expiresAt: hour }, hour - 60_000, 30_000],
    ['just before the margin begins', { issuedAt: 0, expiresAt: hour }, hour - 60_001, 1],
    ['after 90 % of the time left, without iat', { issuedAt: undefined, expiresAt: 100_000 }, 50_000, 45_000],
    ['when the token expires, if its iat is after exp', { issuedAt: 9_000, expiresAt: 5_000 }, 0, 5_000],
    ['no later than setTimeout allows', { issuedAt: 0, expiresAt: 1e12 }, 0, 2 ** 31 - 1],
  ])('comes %s', (_when, lifetime, now, expected) => {
    expect(renewalDelayMs(lifetime, now)).toBe(expected);
  });
});

describe('the claims that two tokens of one sign-in share', () => {
  test('are all but times and id, in any order', () => {
    const first = tokenOf({ sub: 'jane', companyId: 'c', exp: 1, iat: 2, nbf: 3, jti: 'x' });
    const second = tokenOf({ jti: 'y', companyId: 'c', exp: 5, sub: 'jane' });
    expect(comparableClaims(first)).toBe('[["companyId","c"],["sub","jane"]]');
    expect(comparableClaims(second)).toBe(comparableClaims(first));
  });

  test('differ if any other claim differs', () => {
    expect(comparableClaims(tokenOf({ sub: 'jane', scope: 'a' }))).not.toBe(
      comparableClaims(tokenOf({ sub: 'jane', scope: 'b' })),
    );
  });

  test.each(['opaque', 'a.b.c', `h.${base64url('null')}.s`, `h.${base64url('7')}.s`])(
    'are none if the token is not a JWT: %s',
    (token) => {
      expect(comparableClaims(token)).toBe('[]');
    },
  );
});

describe('the expiry by the monotonic clock', () => {
  const never = () => {
    throw new Error('the local clock is not needed');
  };

  test('follows from exp and iat, whatever the local clock says', () => {
    expect(expiryOf(tokenOf({ iat: 100, exp: 160 }), 5_000, never)).toBe(65_000);
    expect(expiryOf(tokenOf({ iat: 160, exp: 100 }), 5_000, never)).toBe(-55_000);
  });

  test('follows from the local clock if the token has no iat', () => {
    expect(expiryOf(tokenOf({ exp: 160 }), 5_000, () => 100_000)).toBe(65_000);
  });

  test('is unknown if the token has no iat and seems to have expired, or no exp', () => {
    expect(expiryOf(tokenOf({ exp: 160 }), 5_000, () => 160_000)).toBe(Infinity);
    expect(expiryOf(tokenOf({ exp: 160 }), 5_000, () => 200_000)).toBe(Infinity);
    expect(expiryOf('opaque', 5_000, never)).toBe(Infinity);
  });
});

describe('the time to the renewal by the monotonic clock', () => {
  test('is when a tenth of the lifetime is left', () => {
    expect(timeToRenewal(tokenOf({ iat: 100, exp: 200 }), 105_000, 5_000)).toBe(90_000);
    expect(timeToRenewal(tokenOf({ iat: 100, exp: 200 }), 105_000, 60_000)).toBe(35_000);
  });

  test('is half a minute at least without iat', () => {
    expect(timeToRenewal(tokenOf({ exp: 200 }), 15_000, 5_000)).toBe(30_000);
    expect(timeToRenewal(tokenOf({ exp: 200 }), 105_000, 5_000)).toBe(90_000);
    expect(timeToRenewal(tokenOf({ iat: 190, exp: 200 }), 15_000, 5_000)).toBe(9_000);
  });

  test('is undefined for a token that has expired or whose expiry is unknown', () => {
    expect(timeToRenewal(tokenOf({ exp: 200 }), 5_000, 5_000)).toBeUndefined();
    expect(timeToRenewal(tokenOf({ iat: 100, exp: 200 }), Infinity, 5_000)).toBeUndefined();
    expect(timeToRenewal('opaque', 15_000, 5_000)).toBeUndefined();
  });
});
