import { afterEach, expect, test } from '@jest/globals';
import { ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

let world: World;
afterEach(() => world.close());

const basic = (password: string) => ({ authorization: `Basic ${btoa(`admin:${password}`)}` });

test('a caller above the rate of its key gets 429 from every process; other callers do not', async () => {
  const other = 'other-key-0123456789-0123456789-0123456789';
  world = await createWorld({ env: { MAX_REQUESTS_PER_SECOND: '2', TRUST_PROXY: '1' } });
  const keys = { INTERNAL_SERVICE_API_KEY: `${world.env['INTERNAL_SERVICE_API_KEY']},${other}` };
  const [one, two] = await Promise.all([world.api(keys), world.api(keys)]);
  let requests = 0;
  // Each request comes from another address, so that no address reaches the rate. None reads MongoDB, so that the time of the rate does
  // not end before.
  const post = (api: { url: string }, headers = {}) => {
    requests += 1;
    const address = `10.0.${requests >> 8}.${requests & 255}`;
    return world.post(api, 'appointment-updated', {}, { 'x-forwarded-for': address, ...headers });
  };

  const first = await post(one);
  expect(first.headers.get('ratelimit-policy')).toBe('"key";q=20;w=10');
  expect(first.headers.get('ratelimit')).toMatch(/^"key";r=19;t=\d+$/);
  for (let n = 1; n < 20; n += 1) expect((await post(one)).status).toBe(400);
  const refused = await post(one);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(await refused.json()).toMatchObject({ code: 'RATE_LIMITED', success: false });
  // The other process reads it when it syncs its first count.
  await eventually('the other process to refuse too', async () => (await post(two)).status === 429);
  expect((await post(two, { 'x-api-key': other })).status).toBe(400);
});

test('the rate by address uses the address that the proxy adds, never one that a caller writes', async () => {
  // Each address has a key of its own, so that no key reaches the rate.
  const keys = ['a', 'b', 'c'].map((letter) => letter.repeat(32)) as [string, string, string];
  world = await createWorld({
    env: { MAX_REQUESTS_PER_SECOND: '1', TRUST_PROXY: '1', INTERNAL_SERVICE_API_KEY: keys.join(',') },
  });
  const api = await world.api();
  const from = (forwarded: string, key: string) =>
    world.post(api, 'appointment-updated', {}, { 'x-forwarded-for': forwarded, 'x-api-key': key });
  for (let n = 0; n < 10; n += 1) expect((await from(`10.0.0.${n}, 192.0.2.1`, keys[0])).status).toBe(400);
  expect((await from('10.9.9.9, 192.0.2.1', keys[1])).status).toBe(429);
  expect((await from('192.0.2.1, 192.0.2.2', keys[1])).status).toBe(400);
  // One network of IPv6 is one caller.
  for (let n = 0; n < 10; n += 1) expect((await from(`2001:db8::${n}`, keys[2])).status).toBe(400);
  expect((await from('2001:db8:0:0:1::9', keys[1])).status).toBe(429);
});

test('after too many wrong keys an address gets 429, but the right key is accepted', async () => {
  world = await createWorld({ limits: { MAX_AUTH_FAILURES_PER_MINUTE: 3 } });
  const api = await world.api();
  const post = async (headers = {}) => (await world.post(api, 'appointment-updated', {}, headers)).status;
  const statuses: number[] = [];
  for (let n = 0; n < 5; n += 1) statuses.push(await post({ 'x-api-key': `wrong-${n}` }));
  expect(statuses).toEqual([403, 403, 403, 429, 429]);
  expect(await post()).toBe(400);

  const overview = async (password: string) =>
    (await fetch(`${api.url}/admin/api/overview`, { headers: basic(password) })).status;
  expect(await overview('admin-password')).toBe(200);
  for (let n = 0; n < 3; n += 1) expect(await overview(`guess-${n}`)).toBe(401);
  expect(await overview('admin-password')).toBe(429);
});

test('a token has its own limit of lists', async () => {
  world = await createWorld({ limits: { MAX_LISTS_PER_VIEWER_PER_SECOND: 1 } });
  const api = await world.api();
  const company = 'c'.repeat(24);
  const [mine, theirs] = [await world.token(company), await world.token(company, '6m')];
  const list = async (token: string) =>
    (
      await fetch(`${api.url}/api/v1/dashboard/appointments`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).status;
  for (let n = 0; n < 10; n += 1) expect(await list(mine)).toBe(200);
  expect(await list(mine)).toBe(429);
  expect(await list(theirs)).toBe(200);
});

test('while the queue is full, emissions are 503 until workers have caught up', async () => {
  world = await createWorld({ env: { MAX_WAITING_EMISSIONS: '3', API_CONCURRENCY: '0' } });
  const api = await world.api();
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  for (let n = 0; n < 3; n += 1) await world.emit(api, 'appointment-updated', appointmentId);
  const refused = await eventually('the queue to be full', async () => {
    const response = await world.post(api, 'appointment-updated', { appointmentId });
    return response.status === 503 ? response : undefined;
  });
  expect(refused.headers.get('retry-after')).toBe('5');
  expect(await refused.json()).toMatchObject({ code: 'QUEUE_FULL' });
  const batch = await world.post(api, 'batch', {
    emissions: [{ event: 'appointment:updated', appointmentId }],
  });
  expect(batch.status).toBe(503);
  world.worker();
  await eventually(
    'emissions to be taken again',
    async () => (await world.post(api, 'appointment-updated', { appointmentId })).status === 202,
  );
});

test('without Redis each process applies the limits by itself, and refuses no caller below them', async () => {
  const redis = await ownRedis();
  world = await createWorld({ redisUrl: redis.url, env: { MAX_REQUESTS_PER_SECOND: '1' } });
  world.keep(redis, () => redis.stop());
  const api = await world.api();
  await redis.stop();
  await eventually('the loss to be noticed', async () => (await fetch(`${api.url}/readyz`)).status === 503);
  const statuses: number[] = [];
  for (let n = 0; n < 12; n += 1)
    statuses.push((await world.post(api, 'appointment-updated', { appointmentId: 'x' })).status);
  expect(statuses).toEqual([...Array<number>(10).fill(400), 429, 429]);
});
