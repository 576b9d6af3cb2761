import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../harness/until.ts';
import { listAt, openWorld, type DashboardWorld } from './dashboard-world.ts';

const E = 'epoch-1';
let world: DashboardWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (lifetimeMs: number, now = Date.now()) =>
  ['header', base64url({ iat: now / 1000, exp: (now + lifetimeMs) / 1000, name: 'Zoë' }), 'signature'].join(
    '.',
  );

test('after a lost connection a dashboard reconnects with its token and the stream position reached', async () => {
  let calls = 0;
  const { becomes, emitted, emits } = world.connect({
    getToken: () => Promise.resolve(`token-${(calls += 1)}`),
    loadSnapshot: () => Promise.resolve(listAt(E, 5)),
  });
  const first = await world.server.connection();
  first.sendPosition({ epoch: E, offset: 5 });
  first.send('a', { epoch: E, offset: 6 });
  first.send('b', { epoch: E, offset: 8 });
  await emits('a 6.0');
  first.cut();
  const second = await world.server.connection();
  expect(second.auth).toEqual({ token: 'token-1', positions: true, position: { epoch: E, offset: 6 } });
  second.send('c', { epoch: E, offset: 8, read: 1 });
  second.send('b', { epoch: E, offset: 8, read: 2 });
  second.sendPosition({ epoch: E, offset: 8 });
  await becomes('live');
  expect(emitted).toEqual(['a 6.0', 'c 8.1', 'b 8.2']);
});

test('a refused token is replaced', async () => {
  let calls = 0;
  world.server.refuseNext(2);
  const { becomes, problems } = world.connect({ getToken: () => Promise.resolve(`token-${(calls += 1)}`) });
  const server = await world.server.connection();
  expect(server.auth.token).toBe('token-3');
  expect(problems).toEqual(Array(2).fill('Error: refused'));
  server.sendPosition({ epoch: E, offset: 0 });
  await becomes('live');
});

test('a token that the server could not verify is kept', async () => {
  let calls = 0;
  world.server.refuseNext(2, { code: 'TOKEN_KEYS_UNAVAILABLE' });
  world.connect({ getToken: () => Promise.resolve(`token-${(calls += 1)}`) });
  expect((await world.server.connection()).auth.token).toBe('token-1');
});

test('getToken is called again after it rejects', async () => {
  let calls = 0;
  const { problems } = world.connect({
    getToken: () => ((calls += 1) < 3 ? Promise.reject(new Error('signed out')) : Promise.resolve('at-last')),
  });
  expect((await world.server.connection()).auth.token).toBe('at-last');
  expect(problems).toEqual(Array(2).fill('Error: signed out'));
});

test('if getToken does not settle, the problem is reported, and it is called again', async () => {
  let calls = 0;
  const { becomes, problems } = world.connect({
    getToken: () => ((calls += 1) < 3 ? new Promise(() => undefined) : Promise.resolve('third')),
    timings: { tokenMs: 50 },
  });
  const server = await world.server.connection();
  expect(server.auth.token).toBe('third');
  expect(problems).toEqual(
    Array(2).fill('Error: getToken has not settled for 0.05 s; it will be called again'),
  );
  server.sendPosition({ epoch: E, offset: 0 });
  await becomes('live');
});

test('a token that getToken resolves to after its time limit is used', async () => {
  let calls = 0;
  let signIn: (token: string) => void = () => undefined;
  const { problems } = world.connect({
    getToken: () => {
      calls += 1;
      return new Promise((resolve) => {
        if (calls === 1) signIn = resolve;
      });
    },
    timings: { tokenMs: 50 },
  });
  await eventually('a second problem', () => problems.length >= 2);
  signIn('first');
  expect((await world.server.connection()).auth.token).toBe('first');
});

test('a renewal that does not settle is reported, and the connection stays', async () => {
  const tokens = [jwt(3_000)];
  const { problems, emits } = world.connect({
    getToken: () => {
      const token = tokens.shift();
      return token === undefined ? new Promise(() => undefined) : Promise.resolve(token);
    },
    timings: { tokenMs: 50 },
  });
  const server = await world.server.connection();
  server.sendPosition({ epoch: E, offset: 5 });
  await eventually('a problem', () => problems.length > 0);
  expect(problems[0]).toContain('getToken has not settled');
  server.send('a', { epoch: E, offset: 6 });
  await emits('a 6.0');
});

test('if the first list does not arrive, the problem is reported, and it is requested again', async () => {
  let calls = 0;
  const { becomes, problems } = world.connect({
    loadSnapshot: () => ((calls += 1) < 2 ? new Promise(() => undefined) : Promise.resolve(listAt(E, 5))),
    timings: { listMs: 50 },
  });
  (await world.server.connection()).sendPosition({ epoch: E, offset: 5 });
  await becomes('live');
  expect(problems).toEqual(['Error: the list was not loaded within 0.05 s']);
});

test('a dashboard that the server disconnects at the expiry of its token reconnects with a new one', async () => {
  const tokens = [jwt(0), jwt(60_000)];
  const { emitted, emits } = world.connect({ getToken: () => Promise.resolve(tokens.shift()!) });
  const [, later] = tokens;
  const first = await world.server.connection();
  first.sendPosition({ epoch: E, offset: 5 });
  first.send('a', { epoch: E, offset: 6 });
  await emits('a 6.0');
  first.disconnect();
  const second = await world.server.connection();
  expect(second.auth).toEqual({ token: later, positions: true, position: { epoch: E, offset: 6 } });
  expect(emitted).toEqual(['a 6.0']);
});

test('if the server does not accept a renewed token, a dashboard reconnects before the expiry at its stream position', async () => {
  const expiresIn = 3_000;
  const tokens = [jwt(expiresIn), jwt(60_000)];
  const [early, later] = tokens;
  const startedAt = Date.now();
  const { emits, problems } = world.connect({ getToken: () => Promise.resolve(tokens.shift()!) });
  const first = await world.server.connection();
  expect(first.auth.token).toBe(early);
  first.sendPosition({ epoch: E, offset: 5 });
  first.send('a', { epoch: E, offset: 6 });
  await emits('a 6.0');
  (await first.nextToken()).reply({ ok: false, code: 'RATE_LIMITED', message: 'later' });
  const second = await world.server.connection();
  expect(Date.now() - startedAt).toBeLessThan(expiresIn);
  expect(second.auth).toEqual({ token: later, positions: true, position: { epoch: E, offset: 6 } });
  second.send('b', { epoch: E, offset: 7, read: 1 });
  second.sendPosition({ epoch: E, offset: 7 });
  await emits('a 6.0', 'b 7.1');
  expect(problems).toEqual([]);
});
