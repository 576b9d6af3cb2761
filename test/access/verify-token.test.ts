import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { createVerifyToken, type VerifyTokenOptions } from '../../src/access/verify-token.ts';

const SECRET = 's'.repeat(32);
const COMPANY = 'c0'.repeat(12);
const NOW = Date.parse('2026-11-23T10:00:00Z');
const NOW_SECONDS = NOW / 1_000;

const verifier = (options: Partial<VerifyTokenOptions> = {}) =>
  createVerifyToken({ secret: SECRET, now: () => NOW, scopeOfClaims: () => undefined, ...options });
const claimsOf = (claims: Record<string, unknown> = {}) => ({
  companyId: COMPANY,
  exp: NOW_SECONDS + 60,
  ...claims,
});
const sign = (claims: Record<string, unknown> = {}, { alg = 'HS256', secret = SECRET } = {}) =>
  new SignJWT(claimsOf(claims)).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret));
const invalid = (message: string | RegExp) =>
  expect.objectContaining({ code: 'TOKEN_INVALID', message: expect.stringMatching(message) });

describe('a dashboard token', () => {
  test('proves its company, its expiry and its user', async () => {
    expect(await verifier()(await sign({ sub: 'jane', companyId: COMPANY.toUpperCase() }))).toEqual({
      companyId: COMPANY,
      expiresAt: NOW + 60_000,
      share: expect.stringMatching(new RegExp(`^${COMPANY} [0-9a-f]{32}$`)),
      userId: 'jane',
      scope: undefined,
    });
  });

  test('may have a number or anything else as its user, or none', async () => {
    const userOf = async (claims: object) => (await verifier()(await sign({ ...claims }))).userId;
    expect(await userOf({ sub: 7 })).toBe('7');
    expect(await userOf({ sub: { toString: 'user' } })).toBe('{"toString":"user"}');
    expect(await userOf({ sub: null })).toBe('null');
    expect(await userOf({})).toBeUndefined();
  });

  test('gives its verified claims to the reader of the scope', async () => {
    const scope = { hidden: [], id: 'a scope' };
    const verify = verifier({ scopeOfClaims: ({ team }) => (team === 'north' ? scope : undefined) });
    expect((await verify(await sign({ team: 'north' }))).scope).toBe(scope);
  });

  test.each([undefined, null, 3, '', 'x'.repeat(8_193)])('is required: %p', async (token) => {
    await expect(verifier()(token)).rejects.toEqual(
      invalid(/^a token is required: a JWT with companyId and exp$/),
    );
  });

  test('of 8,192 characters is read', async () => {
    const length = (await sign({ pad: '' })).length;
    let pad = 'x'.repeat(Math.floor(((8_192 - length) * 3) / 4));
    while ((await sign({ pad })).length > 8_192) pad = pad.slice(1);
    const token = await sign({ pad });
    expect(token.length).toBeGreaterThan(8_190);
    expect(await verifier()(token)).toMatchObject({ companyId: COMPANY });
  });

  test.each([
    ['another secret', () => sign({}, { secret: 'x'.repeat(32) })],
    ['another algorithm', () => sign({}, { alg: 'HS384', secret: SECRET.repeat(2) })],
    ['no signature', () => Promise.resolve(new UnsecuredJWT(claimsOf()).encode())],
    ['no companyId', () => sign({ companyId: undefined })],
    ['no exp', () => sign({ exp: undefined })],
    ['two parts', async () => (await sign()).split('.').slice(0, 2).join('.')],
    ['a fourth part', async () => `${await sign()}.e30`],
    ['padding', async () => `${await sign()}=`],
    ['white space', async () => ` ${await sign()}`],
  ])('with %s is not valid', async (_, make) => {
    await expect(make().then(verifier())).rejects.toEqual(invalid(/^the token is not valid$/));
  });

  test('that is not valid is refused with the cause', async () => {
    const refused = sign({}, { secret: 'x'.repeat(32) }).then(verifier());
    await expect(refused).rejects.toMatchObject({ cause: { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' } });
  });

  test.each(['c0', 'x'.repeat(24), 7, null, [COMPANY]])(
    'with the companyId %p names no company',
    async (companyId) => {
      await expect(verifier()(await sign({ companyId }))).rejects.toEqual(
        invalid(/^the token's companyId is not an id of 24 hexadecimal characters$/),
      );
    },
  );

  test.each([0, -1, -29, -31, -3_600])('that expires in %p seconds has expired', async (seconds) => {
    await expect(verifier()(await sign({ exp: NOW_SECONDS + seconds }))).rejects.toEqual(
      invalid(/^the token has expired$/),
    );
  });
});

describe('a token that is not valid yet', () => {
  test('is accepted up to 30 seconds before', async () => {
    const early: number[] = [];
    const verify = verifier({ onTooEarly: (aheadMs) => early.push(aheadMs) });
    expect(await verify(await sign({ nbf: NOW_SECONDS + 30 }))).toMatchObject({ companyId: COMPANY });
    expect(early).toEqual([]);
  });

  test('is refused before that, and its distance is reported', async () => {
    const early: number[] = [];
    const verify = verifier({ onTooEarly: (aheadMs) => early.push(aheadMs) });
    await expect(verify(await sign({ nbf: NOW_SECONDS + 31 }))).rejects.toEqual(
      invalid(/^the token is not valid$/),
    );
    await expect(verifier()(await sign({ nbf: NOW_SECONDS + 31 }))).rejects.toEqual(invalid(/not valid/));
    expect(early).toEqual([31_000]);
  });

  test('is not reported if its nbf is no number, or if it is refused for another reason', async () => {
    const early: number[] = [];
    const verify = verifier({ audience: 'dashboards', onTooEarly: (aheadMs) => early.push(aheadMs) });
    await expect(verify(await sign({ nbf: 'soon', aud: 'dashboards' }))).rejects.toEqual(
      invalid(/not valid/),
    );
    await expect(verify(await sign({ aud: 'others', nbf: NOW_SECONDS }))).rejects.toEqual(
      invalid(/not valid/),
    );
    expect(early).toEqual([]);
  });
});

describe('issuer and audience', () => {
  test.each([
    ['https://id.example.com', 'https://id.example.com/'],
    ['https://id.example.com/', 'https://id.example.com'],
    ['https://id.example.com', 'https://id.example.com'],
    ['https://id.example.com/', 'https://id.example.com/'],
  ])('accept %s for the setting %s', async (iss, issuer) => {
    expect(await verifier({ issuer })(await sign({ iss }))).toMatchObject({ companyId: COMPANY });
  });

  test.each([
    [{ issuer: 'https://id.example.com' }, { iss: 'https://other.example.com' }],
    [{ issuer: 'https://id.example.com' }, {}],
    [{ audience: 'dashboards' }, { aud: 'others' }],
    [{ audience: 'dashboards' }, {}],
  ])('with %j refuse %j', async (options, claims) => {
    await expect(verifier(options)(await sign(claims))).rejects.toEqual(invalid(/^the token is not valid$/));
  });

  test('accept the audience of the setting', async () => {
    const token = await sign({ aud: ['dashboards'] });
    expect(await verifier({ audience: 'dashboards' })(token)).toMatchObject({ companyId: COMPANY });
  });
});

describe('the share of limits', () => {
  const shareOf = async (claims: Record<string, unknown>) => (await verifier()(await sign(claims))).share;

  test('is one for all tokens of a user in a company', async () => {
    expect(await shareOf({ sub: 'jane', exp: NOW_SECONDS + 1 })).toBe(await shareOf({ sub: 'jane' }));
    expect(await shareOf({ sub: 'jane' })).not.toBe(await shareOf({ sub: 'john' }));
    expect(await shareOf({ sub: 'jane' })).not.toBe(
      await shareOf({ sub: 'jane', companyId: 'd0'.repeat(12) }),
    );
    expect(await shareOf({ sub: ['jane'] })).not.toBe(await shareOf({ sub: ['john'] }));
  });

  test('is one for all tokens with equal claims, if they name no user', async () => {
    expect(await shareOf({})).toBe(await shareOf({}));
    expect(await shareOf({})).not.toBe(await shareOf({ exp: NOW_SECONDS + 1 }));
  });
});

/** Serves keys as an identity provider does. */
async function serveKeys(reply: unknown): Promise<{ jwksUrl: string; close: () => void }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test.each([
  ['RS256', true],
  ['PS256', true],
  ['ES256', true],
  ['EdDSA', true],
  ['RS384', false],
  ['ES384', false],
])('a key of a JWKS with the algorithm %s: valid is %p', async (alg, isValid) => {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const keys = await serveKeys({ keys: [{ ...(await exportJWK(publicKey)), alg }] });
  try {
    const token = await new SignJWT(claimsOf()).setProtectedHeader({ alg }).sign(privateKey);
    const verified = verifier({ jwksUrl: keys.jwksUrl })(token);
    if (isValid) expect(await verified).toMatchObject({ companyId: COMPANY });
    else await expect(verified).rejects.toEqual(invalid(/^the token is not valid$/));
  } finally {
    keys.close();
  }
});

test('an answer that is no JWKS is not a fault of the token', async () => {
  const keys = await serveKeys({});
  try {
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT(claimsOf()).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
    await expect(verifier({ jwksUrl: keys.jwksUrl })(token)).rejects.toMatchObject({
      code: 'TOKEN_KEYS_UNAVAILABLE',
    });
  } finally {
    keys.close();
  }
});

test('keys that cannot be fetched are not a fault of the token', async () => {
  const token = await sign({}, { alg: 'HS256' });
  const [, payload = '', signature = ''] = token.split('.');
  const header = Buffer.from('{"alg":"RS256","kid":"1"}').toString('base64url');
  // Port 9 of this machine: no server answers.
  const verify = verifier({ jwksUrl: 'http://127.0.0.1:9/keys' });
  await expect(verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject({
    code: 'TOKEN_KEYS_UNAVAILABLE',
    message: 'the keys to verify tokens cannot be fetched',
    retryAfterSeconds: 2,
  });
  await expect(verify(token)).rejects.toEqual(invalid(/^the token is not valid$/));
});
