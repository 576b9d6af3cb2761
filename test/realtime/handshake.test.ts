import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import request from 'supertest';
import { io } from 'socket.io-client';
import type { RunningApi } from '../../src/api/start-api.ts';
import { until } from '../harness/until.ts';
import { createWorld, JWT_SECRET, type World } from '../harness/world.ts';

const COMPANY = 'c'.repeat(24);
const LIST = '/api/v1/dashboard/appointments';

let world: World;
let api: RunningApi;
beforeAll(async () => {
  world = await createWorld();
  api = await world.api();
});
afterAll(() => world.close());

interface Claims {
  claims?: Record<string, unknown>;
  alg?: string;
  secret?: string;
  expires?: string | undefined;
}
function sign({ claims = { companyId: COMPANY }, alg = 'HS256', secret = JWT_SECRET, ...more }: Claims = {}) {
  const token = new SignJWT(claims).setProtectedHeader({ alg });
  const { expires } = { expires: '5m', ...more };
  if (expires) token.setExpirationTime(expires);
  return token.sign(new TextEncoder().encode(secret));
}

/** How the gateway answers a handshake. */
async function handshake(
  to: { url: string },
  auth: object,
): Promise<'connected' | { reason: string; data: unknown }> {
  const socket = io(to.url, { forceNew: true, reconnection: false, transports: ['websocket'], auth });
  const answer = new Promise<'connected' | { reason: string; data: unknown }>((resolve) => {
    socket.once('connect', () => {
      resolve('connected');
    });
    socket.once('connect_error', (error) => {
      resolve({ reason: error.message, data: (error as { data?: unknown }).data });
    });
  });
  return until('an answer to the handshake', answer).finally(() => socket.close());
}
const invalid = (reason: string) => ({ reason, data: { code: 'TOKEN_INVALID' } });

test('a token with a company and an expiry is accepted, also from a client with default options', async () => {
  expect(await handshake(api, { token: await sign() })).toBe('connected');
  const dashboard = await world.dashboard(api, COMPANY);
  expect(dashboard.socket.connected).toBe(true);
  expect(dashboard.positions[0]).toEqual({ epoch: expect.any(String), offset: 0, recovered: true });
  dashboard.close();
});

test.each([
  ['no token', () => ({}), 'a token is required: a JWT with companyId and exp'],
  [
    'a token that is no string',
    () => ({ token: { $ne: '' } }),
    'a token is required: a JWT with companyId and exp',
  ],
  ['a token that is no JWT', () => ({ token: 'x' }), 'the token is not valid'],
  [
    'a token of 8 kB',
    () => ({ token: 'x'.repeat(9_000) }),
    'a token is required: a JWT with companyId and exp',
  ],
  [
    'another signature',
    async () => ({ token: await sign({ secret: `${JWT_SECRET}!` }) }),
    'the token is not valid',
  ],
  ['an expired token', async () => ({ token: await sign({ expires: '-1s' }) }), 'the token has expired'],
  [
    'a token that never expires',
    async () => ({ token: await sign({ expires: undefined }) }),
    'the token is not valid',
  ],
  ['another algorithm', async () => ({ token: await sign({ alg: 'HS512' }) }), 'the token is not valid'],
  [
    'no signature',
    () => ({ token: new UnsecuredJWT({ companyId: COMPANY }).setExpirationTime('5m').encode() }),
    'the token is not valid',
  ],
  [
    'a token that is not valid yet',
    async () => ({ token: await sign({ claims: { companyId: COMPANY, nbf: Date.now() / 1_000 + 60 } }) }),
    'the token is not valid',
  ],
  ['no company', async () => ({ token: await sign({ claims: {} }) }), 'the token is not valid'],
  [
    'a company that is no id',
    async () => ({ token: await sign({ claims: { companyId: '*' } }) }),
    "the token's companyId is not an id of 24 hexadecimal characters",
  ],
  [
    'a company that is an array',
    async () => ({ token: await sign({ claims: { companyId: [COMPANY] } }) }),
    "the token's companyId is not an id of 24 hexadecimal characters",
  ],
])('%s is refused, with a message', async (_, auth: () => object | Promise<object>, words) => {
  expect(await handshake(api, await auth())).toEqual(invalid(words));
});

test('a token is accepted although the clock of its issuer is some seconds ahead', async () => {
  const nowS = Math.floor(Date.now() / 1_000);
  const claims = { companyId: COMPANY, nbf: nowS + 3, iat: nowS + 3 };
  expect(await handshake(api, { token: await sign({ claims }) })).toBe('connected');
});

test('if issuer and audience are set, a token must name both', async () => {
  const strict = await world.api({ SOCKET_JWT_ISSUER: 'petbuddy', SOCKET_JWT_AUDIENCE: 'dashboards' });
  const withClaims = (claims: object) => sign({ claims: { companyId: COMPANY, ...claims } });
  const both = { iss: 'petbuddy', aud: 'dashboards' };
  expect(await handshake(strict, { token: await withClaims(both) })).toBe('connected');
  for (const claims of [{}, { iss: 'petbuddy' }, { ...both, iss: 'other' }, { ...both, aud: ['other'] }]) {
    const answer = await handshake(strict, { token: await withClaims(claims) });
    expect(answer).toEqual(invalid('the token is not valid'));
  }
});

test.each([
  ['https://id.example.com', 'https://id.example.com/'],
  ['https://id.example.com/', 'https://id.example.com'],
])('an issuer set as %s is also %s', async (set, iss) => {
  const strict = await world.api({ SOCKET_JWT_ISSUER: set });
  const token = (claims: object) => sign({ claims: { companyId: COMPANY, ...claims } });
  expect(await handshake(strict, { token: await token({ iss }) })).toBe('connected');
  expect(await handshake(strict, { token: await token({ iss: `${iss}/x` }) })).not.toBe('connected');
});

test('a socket is disconnected within a second of its token’s expiry, and not before', async () => {
  const token = await world.token(COMPANY, 2);
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { exp: number };
  const dashboard = await world.dashboard(api, COMPANY, { token });
  const reason = await until(
    'the socket to be disconnected',
    new Promise((resolve) => dashboard.socket.once('disconnect', resolve)),
  );
  const lateMs = Date.now() - exp * 1_000;
  expect(reason).toBe('io server disconnect');
  expect(lateMs).toBeGreaterThanOrEqual(-20);
  expect(lateMs).toBeLessThan(1_500); // a second is promised, the rest is for a busy machine
});

describe('with keys from a JWKS', () => {
  let server: Server;
  let keys: { url: string };
  let fetches = 0;
  let withKeys: RunningApi;
  let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
  beforeAll(async () => {
    const pair = await generateKeyPair('RS256', { extractable: true });
    ({ privateKey } = pair);
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
    server = createServer((_req, res) => {
      fetches += 1;
      res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
    }).listen(0);
    await once(server, 'listening');
    keys = { url: `http://localhost:${(server.address() as AddressInfo).port}/jwks` };
    withKeys = await world.api({ SOCKET_JWT_SECRET: '', SOCKET_JWKS_URL: keys.url });
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  const signRs256 = (key = privateKey, kid = 'one') =>
    new SignJWT({ companyId: COMPANY })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setExpirationTime('5m')
      .sign(key);

  test('a token that was signed with one of them is accepted, by socket and by list', async () => {
    const token = await signRs256();
    expect(await handshake(withKeys, { token })).toBe('connected');
    await request(withKeys.url).get(LIST).set('authorization', `Bearer ${token}`).expect(200);
  });

  test('a token that was signed with another key, an unknown key or a shared secret is refused', async () => {
    const { privateKey: another } = await generateKeyPair('RS256');
    const tokens = [await signRs256(another), await signRs256(privateKey, 'two'), await sign()];
    for (const token of tokens) {
      expect(await handshake(withKeys, { token })).toEqual(invalid('the token is not valid'));
    }
  });

  test('the keys are cached: neither valid tokens nor those of unknown keys cause repeated requests', async () => {
    expect(await handshake(withKeys, { token: await signRs256() })).toBe('connected');
    const before = fetches;
    for (let n = 0; n < 5; n += 1) {
      expect(await handshake(withKeys, { token: await signRs256() })).toBe('connected');
      const unknown = await signRs256(privateKey, `unknown-${n}`);
      expect(await handshake(withKeys, { token: unknown })).toEqual(invalid('the token is not valid'));
    }
    // One more at most: for the first unknown key, if none was fetched for ten seconds.
    expect(fetches - before).toBeLessThanOrEqual(1);
  });

  test('a provider that never answers times out: a fault of the service, and each connection is answered', async () => {
    const silent = createServer(() => undefined).listen(0);
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    try {
      const without = await world.api({
        SOCKET_JWT_SECRET: '',
        SOCKET_JWKS_URL: `http://localhost:${port}/jwks`,
      });
      expect(await handshake(without, { token: await signRs256() })).toMatchObject({
        data: { code: 'TOKEN_KEYS_UNAVAILABLE' },
      });
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  test('keys that cannot be fetched are reported as a fault of the service, not of the token', async () => {
    const anonymous = createServer().listen(0);
    await once(anonymous, 'listening');
    const { port } = anonymous.address() as AddressInfo;
    await once(anonymous.close(), 'close');
    const without = await world.api({
      SOCKET_JWT_SECRET: '',
      SOCKET_JWKS_URL: `http://localhost:${port}/jwks`,
    });
    const token = await signRs256();
    expect(await handshake(without, { token })).toEqual({
      reason: 'the keys to verify tokens cannot be fetched',
      data: { code: 'TOKEN_KEYS_UNAVAILABLE' },
    });
    const response = await request(without.url).get(LIST).set('authorization', `Bearer ${token}`);
    expect(response.status).toBe(503);
    expect(response.headers['retry-after']).toBe('2');
  });
});
