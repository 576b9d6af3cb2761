import { describe, expect, test } from '@jest/globals';
import { readLifetime, renewalDelayMs } from '../../packages/dashboard/src/token-lifetime.ts';

const base64url = (text: string) => Buffer.from(text).toString('base64url');

describe('the lifetime of a token', () => {
  test('is read from its payload', () => {
    const token = `h.${base64url('{"iat":100,"exp":160,"name":"Zoë ~~~???"}')}.s`;
    expect(readLifetime(token)).toEqual({ issuedAt: 100_000, expiresAt: 160_000 });
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
    ['no later than setTimeout allows', { issuedAt: 0, expiresAt: 1e12 }, 0, 2 ** 31 - 1],
  ])('comes %s', (_when, lifetime, now, expected) => {
    expect(renewalDelayMs(lifetime, now)).toBe(expected);
  });
});
