import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createTokens } from '../../packages/dashboard/src/tokens.ts';

const HOUR_S = 3_600;
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: object) => `header.${base64url(claims)}.signature`;

/** Tokens of an issuer whose clock is right, in a browser whose clock is ahead by `skewMs`. */
function browser(skewMs: number, claims: (n: number, timeS: number) => object, firstPauseMs = 1_000) {
  let elapsedMs = 0;
  let calls = 0;
  const startS = 1_800_000_000;
  const tokens = createTokens({
    getToken: () => Promise.resolve(jwt(claims((calls += 1), startS + elapsedMs / 1_000))),
    timeoutMs: 60_000,
    firstPauseMs,
    elapsed: () => elapsedMs,
    now: () => startS * 1_000 + elapsedMs + skewMs,
  });
  return {
    tokens,
    pass: (ms: number) => (elapsedMs += ms),
    get calls() {
      return calls;
    },
  };
}
const ofAnHour = (n: number, timeS: number) => ({ n, iat: timeS, exp: timeS + HOUR_S });

describe.each([
  ['right', 0],
  ['50 minutes ahead', 3_000_000],
  ['5 hours ahead', 18_000_000],
  ['5 hours behind', -18_000_000],
])('in a browser whose clock is %s', (_words, skewMs) => {
  test('a token with a lifetime of an hour is kept for an hour, and renewed a minute before it expires', async () => {
    const one = browser(skewMs, ofAnHour);
    const first = await one.tokens.current();
    expect(one.tokens.renewalDelayMs()).toBe(HOUR_S * 1_000 - 60_000);
    one.pass(59 * 60_000);
    expect(await one.tokens.current()).toBe(first);
    one.pass(60_000);
    expect(await one.tokens.current()).not.toBe(first);
    expect(one.calls).toBe(2);
  });

  test('a token without iat is renewed at most every 30 s and never considered expired on receipt', async () => {
    const one = browser(skewMs, (n, timeS) => ({ n, exp: timeS + HOUR_S }));
    const first = await one.tokens.current();
    expect(one.tokens.renewalDelayMs() ?? Infinity).toBeGreaterThanOrEqual(30_000);
    expect(await one.tokens.current()).toBe(first);
  });
});

test('after repeated refusals new tokens are requested with growing pauses, and the error says so', async () => {
  const one = browser(0, ofAnHour);
  const problems: string[] = [];
  for (; problems.length < 600; one.pass(1_000)) {
    try {
      one.tokens.refuse(await one.tokens.current());
      problems.push('refused');
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  // Within ten minutes.
  expect(one.calls).toBeLessThan(20);
  expect(problems.at(-1)).toMatch(/refused \d+ tokens in a row.*clocks/);
  one.pass(64_000);
  const token = await one.tokens.current();
  one.tokens.accept(token);
  one.tokens.refuse(token);
  await expect(one.tokens.current()).resolves.not.toBe(token);
});

test('a renewal works after the issuer’s clock is set back', async () => {
  const times = [1_800_010_000, 1_800_000_000];
  const one = browser(0, (n) => ({ n, iat: times[n - 1], exp: times[n - 1]! + HOUR_S }));
  await one.tokens.current();
  one.pass(59 * 60_000);
  expect(await one.tokens.renew()).toBe(true);
});

describe('a token that arrives after its request has timed out', () => {
  /** Each call of `getToken` resolves when `answer` is called with its index and a token. */
  function slowIssuer() {
    let elapsedMs = 0;
    const calls: ((token: string) => void)[] = [];
    const tokens = createTokens({
      getToken: () => new Promise((resolve) => calls.push(resolve)),
      timeoutMs: 200,
      firstPauseMs: 1_000,
      elapsed: () => elapsedMs,
    });
    return {
      tokens,
      pass: (ms: number) => (elapsedMs += ms),
      get calls() {
        return calls.length;
      },
      async answer(call: number, token: string) {
        await setImmediate();
        calls[call]!(token);
        await setImmediate();
      },
    };
  }
  const endingAfter = (hours: number) => jwt({ iat: 0, exp: hours * HOUR_S });
  const [oneHour, twoHours] = [endingAfter(1), endingAfter(2)];

  /** An issuer whose second token is late. The first one ends after an hour. */
  async function withLateRenewal() {
    const slow = slowIssuer();
    const first = slow.tokens.current();
    await slow.answer(0, oneHour);
    expect(await first).toBe(oneHour);
    await expect(slow.tokens.renew()).rejects.toThrow('getToken has not settled');
    return slow;
  }

  test('is the result of the next renewal', async () => {
    const slow = await withLateRenewal();
    await slow.answer(1, twoHours);
    expect(await slow.tokens.renew()).toBe(true);
    expect(await slow.tokens.current()).toBe(twoHours);
    expect(slow.calls).toBe(2);
  });

  test('replaces a token that has expired meanwhile', async () => {
    const slow = await withLateRenewal();
    slow.pass(HOUR_S * 1_000);
    await slow.answer(1, twoHours);
    expect(await slow.tokens.current()).toBe(twoHours);
    expect(slow.calls).toBe(2);
  });

  test('is not used if it does not outlive the cached one', async () => {
    const slow = await withLateRenewal();
    await slow.answer(1, jwt({ iat: 0, exp: HOUR_S / 2 }));
    const renewed = slow.tokens.renew();
    await slow.answer(2, twoHours);
    expect(await renewed).toBe(true);
    expect(await slow.tokens.current()).toBe(twoHours);
  });

  test('is not used if another call has resolved before it', async () => {
    const slow = await withLateRenewal();
    const renewed = slow.tokens.renew();
    await slow.answer(2, twoHours);
    expect(await renewed).toBe(true);
    await slow.answer(1, endingAfter(3));
    const again = slow.tokens.renew();
    await slow.answer(3, endingAfter(4));
    expect(await again).toBe(true);
    expect(await slow.tokens.current()).toBe(endingAfter(4));
  });
});
