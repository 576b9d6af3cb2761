import { afterEach, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { io } from 'socket.io-client';
import type { PositionUpdate } from '@appointment-emissions/contracts';
import { createFleetRate } from '../../src/access/fleet-rate.ts';
import type { ReportDamage } from '../../src/process/damaged-data.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, JWT_SECRET, type World } from '../harness/world.ts';

const COMPANY = 'c'.repeat(24);

let world: World;
afterEach(() => world.close());

const sign = (claims: object, expiry: string | number = '5m'): Promise<string> =>
  new SignJWT({ companyId: COMPANY, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expiry)
    .sign(new TextEncoder().encode(JWT_SECRET));

/** The character after this one in base64url: another spelling of the same bytes at the end of a signature. */
const next = (character: string): string => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(character) + 1]!;
};

test('a token is accepted in one encoding only, so that no other encoding has its own limit of lists', async () => {
  world = await createWorld();
  const api = await world.api();
  const token = await sign({});
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const list = async (shown: string) =>
    (
      await fetch(`${api.url}/api/v1/dashboard/appointments`, {
        headers: { authorization: `Bearer ${shown}` },
      })
    ).status;
  expect(await list(token)).toBe(200);
  const spellings = [
    `${header}.${payload}.${signature.slice(0, 5)}\t${signature.slice(5)}`,
    `${header}.${payload}.${signature}=`,
    `${header}.${payload}.${signature}==`,
    `${header}.${payload}.${signature.slice(0, -1)}${next(signature.at(-1)!)}`,
    `${header}.${payload}.${signature}!`,
    `${header}.${payload}.${signature}.`,
    `.${token}`,
    `${header}=.${payload}.${signature}`,
    `${header}\t.${payload}.${signature}`,
    `${header}.${payload}.\u00a0${signature}`,
    `${header}.${payload}.${signature}${'\t'.repeat(50)}x`,
  ];
  expect(await Promise.all(spellings.map(list))).toEqual(spellings.map(() => 401));
});

test('all tokens of a user, and tokens with equal claims, share one limit; two users do not', async () => {
  world = await createWorld({ limits: { MAX_LISTS_PER_VIEWER_PER_SECOND: 1 } });
  const api = await world.api();
  const list = async (token: string) =>
    (
      await fetch(`${api.url}/api/v1/dashboard/appointments`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).status;
  const mine = await Promise.all(
    Array.from({ length: 10 }, (_, n) => sign({ sub: 'anna', jti: `${n}` }, `${5 + n}m`)),
  );
  for (const token of mine) expect(await list(token)).toBe(200);
  expect(await list(await sign({ sub: 'anna' }, '1h'))).toBe(429);
  expect(await list(await sign({ sub: 'bert' }))).toBe(200);

  const expiry = Math.floor(Date.now() / 1_000) + 600;
  for (let n = 0; n < 10; n += 1) expect(await list(await sign({}, expiry))).toBe(200);
  expect(await list(await sign({}, expiry))).toBe(429);
});

test('catch-ups and lists of a viewer share one limit, however many sockets it has', async () => {
  world = await createWorld({
    limits: { MAX_LISTS_PER_VIEWER_PER_SECOND: 1, MAX_CATCH_UPS_PER_SECOND: 5 },
  });
  const api = await world.api();
  const token = await sign({ sub: 'anna' });
  const screens = await Promise.all(
    Array.from({ length: 4 }, () => world.dashboard(api, COMPANY, { token })),
  );
  const reasons: (string | undefined)[] = [];
  for (const { socket, positions } of screens) {
    const { epoch, offset } = positions[0]!;
    for (let n = 0; n < 4; n += 1) {
      const reply = socket.emitWithAck('emissions:catch-up', { epoch, offset }) as Promise<PositionUpdate>;
      reasons.push((await until('an answer', reply)).reason);
    }
  }
  expect(reasons).toEqual([
    ...Array<undefined>(10).fill(undefined),
    ...Array<string>(6).fill('rate-limited'),
  ]);
  const url = `${api.url}/api/v1/dashboard/appointments`;
  expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(429);
});

test('emissions by HTTP and through /internal share the limit of their address', async () => {
  world = await createWorld({ env: { MAX_REQUESTS_PER_SECOND: '1' } });
  const api = await world.api();
  for (let n = 0; n < 9; n += 1) expect((await world.post(api, 'appointment-updated', {})).status).toBe(400);
  const service = io(`${api.url}/internal`, {
    forceNew: true,
    transports: ['websocket'],
    auth: { apiKey: API_KEY },
  });
  world.keep(service, () => service.close());
  const codes: unknown[] = [];
  for (let n = 0; n < 2; n += 1) {
    const reply = (await until('a reply', service.emitWithAck('emit', {}))) as { code: string };
    codes.push(reply.code);
  }
  expect(codes).toEqual(['INVALID_EVENT', 'RATE_LIMITED']);
  expect((await world.post(api, 'appointment-updated', {})).status).toBe(429);
});

test('a caller that invents names cannot make a process forget the callers that reached their limit', async () => {
  world = await createWorld();
  const rate = createFleetRate({
    redis: world.redis,
    prefix: '{t}',
    name: 'x',
    limit: 2,
    windowSeconds: 60,
    reportDamage: () => undefined,
  });
  world.keep(rate, rate.close);
  const consume = (caller: string): boolean => rate.consume(caller).isAllowed;
  expect([consume('loud'), consume('loud'), consume('loud')]).toEqual([true, true, false]);
  for (let n = 0; n < 120_000; n += 1) consume(`invented ${n}`);
  expect(consume('loud')).toBe(false);
});

test.each<[what: string, damage: (key: string) => Promise<unknown>]>([
  ['text', (key) => world.redis.set(key, 'garbage', 'PX', 60_000)],
  ['a number below 0', (key) => world.redis.set(key, '-1000', 'PX', 60_000)],
  ['a number that cannot be increased', (key) => world.redis.set(key, '9223372036854775807', 'PX', 60_000)],
  ['a number without an end', (key) => world.redis.set(key, '1000')],
  ['a number that ends later than its window', (key) => world.redis.set(key, '1000', 'PX', 600_000)],
  ['a list', (key) => world.redis.rpush(key, 'garbage')],
  ['a hash', (key) => world.redis.hset(key, 'garbage', '1')],
])(
  'a count in Redis that was replaced by %s restarts in every process and is reported once',
  async (_, damage) => {
    world = await createWorld();
    const reports: [kind: string, key: string | undefined][] = [];
    const open = () => {
      const options = { prefix: world.env['QUEUE_PREFIX']!, name: 'x', limit: 10, windowSeconds: 60 };
      const reportDamage: ReportDamage = (kind, details) => reports.push([kind, details?.['key']]);
      const rate = createFleetRate({ redis: world.redis, ...options, reportDamage });
      world.keep(rate, rate.close);
      return rate;
    };
    const [one, two] = [open(), open()];
    one.consume('caller');
    const key = await eventually('the count', async () => {
      const [found] = await world.redis.keys(`${world.env['QUEUE_PREFIX']!}:rate:x:*`);
      return found;
    });
    await world.redis.del(key);
    await damage(key);
    one.consume('caller');
    await eventually('the count to restart', async () => {
      const [type, endsInMs] = [await world.redis.type(key), await world.redis.pttl(key)];
      return type === 'string' && endsInMs > 0 && endsInMs <= 60_000 && (await world.redis.get(key)) === '1';
    });
    // The caller had consumed 2. The second process adds to the restarted count.
    two.consume('caller');
    await eventually('the second process to read it', () => two.peek('caller').remaining === 8);
    expect(reports).toEqual([['rate', key]]);
  },
);
