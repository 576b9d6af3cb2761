import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { admin } from '../operate/admin.ts';

let world: World;
let gateways: RunningApi[];
beforeAll(async () => {
  world = await createWorld({ env: { ADMIN_WRITES: 'on', RECONCILE_INTERVAL_MS: '0' } });
  gateways = await Promise.all([world.ready(world.api()), world.ready(world.api())]);
});
afterAll(() => world.close());

/** A dashboard of this user on each gateway. */
const openOnEach = (companyId: string, sub?: string): Promise<Dashboard[]> =>
  Promise.all(
    gateways.map(async (api) => {
      const token = await world.token(companyId, '5m', sub === undefined ? {} : { sub });
      return world.dashboard(api, companyId, { token });
    }),
  );
const disconnect = (body: object) => admin(gateways[0]!, 'disconnect', body);
const areConnected = (dashboards: Dashboard[]) => dashboards.map(({ socket }) => socket.connected);
const allGone = (dashboards: Dashboard[]) =>
  eventually('the sockets to be disconnected', () => !areConnected(dashboards).includes(true));

test('a user is disconnected on all gateways, and no other user and no other company', async () => {
  const [ours, theirs] = [await world.documents.company(), await world.documents.company()];
  const user = await openOnEach(ours.companyId, 'ann@example.org');
  const others = [
    ...(await openOnEach(ours.companyId, 'ben@example.org')),
    ...(await openOnEach(ours.companyId)),
    ...(await openOnEach(theirs.companyId, 'ben@example.org')),
  ];
  const dry = await disconnect({ userId: 'ann@example.org', dryRun: true });
  expect(dry.body).toEqual({ success: true, dryRun: true, matched: 2, gateways: 2, unanswered: 0 });
  expect(areConnected([...user, ...others])).not.toContain(false);

  const { body } = await disconnect({ userId: 'ann@example.org' });
  expect(body).toMatchObject({ dryRun: false, matched: 2, gateways: 2 });
  await allGone(user);
  expect(areConnected(others)).not.toContain(false);

  // Both ids: the user in this company only.
  const [inOurs, inTheirs] = [others.slice(0, 2), others.slice(4)];
  expect((await disconnect({ companyId: ours.companyId, userId: 'ben@example.org' })).body.matched).toBe(2);
  await allGone(inOurs);
  expect(areConnected(inTheirs)).not.toContain(false);
});

test('a company is disconnected on all gateways', async () => {
  const { companyId } = await world.documents.company();
  const dashboards = await openOnEach(companyId);
  expect((await disconnect({ companyId: companyId.toUpperCase() })).body).toMatchObject({ matched: 2 });
  await allGone(dashboards);
  expect((await disconnect({ companyId })).body).toMatchObject({ matched: 0, gateways: 2 });
});

test.each([
  [{}, /needs companyId, userId or both/],
  [{ dryRun: true }, /needs companyId, userId or both/],
  [{ companyId: 'x' }, /companyId/],
  [{ userId: '' }, /userId/],
  [{ userId: 7 }, /userId/],
  [{ companyId: 'a'.repeat(24), all: true }, /only/],
])('%j is refused with a reason', async (body, words) => {
  const answer = await disconnect(body);
  expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  expect(answer.body.detail).toMatch(words);
});

test('messages on the channel that are not ours are dropped and counted, and disconnect no one', async () => {
  const { companyId } = await world.documents.company();
  const dashboards = await openOnEach(companyId);
  const requestId = '00000000-0000-4000-8000-000000000000';
  const forged = [
    'no json',
    JSON.stringify({ type: 'request', requestId, dryRun: false, target: {} }),
    JSON.stringify({ type: 'request', requestId, dryRun: false, target: { companyId, more: 1 } }),
    JSON.stringify({ type: 'request', requestId, dryRun: false, target: { companyId: { $ne: null } } }),
    JSON.stringify({ type: 'reply', requestId, matched: 1e9 }),
    'x'.repeat(100_000),
  ];
  const channel = `${world.env['SOCKET_ADAPTER_KEY']}-disconnect`;
  for (const message of forged) expect(await world.redis.publish(channel, message)).toBe(2);
  const { body } = await disconnect({ companyId, dryRun: true });
  expect(body).toMatchObject({ matched: 2, gateways: 2 });
  expect(areConnected(dashboards)).not.toContain(false);
});

test('Redis carries a hash of the user’s id', async () => {
  const messages: string[] = [];
  const subscriber = new Redis(world.env['REDIS_URL']!);
  subscriber.on('message', (_, message: string) => messages.push(message));
  await subscriber.subscribe(`${world.env['SOCKET_ADAPTER_KEY']}-disconnect`);
  await disconnect({ userId: 'carla@example.org' });
  await eventually('the request and two replies', () => messages.length === 3);
  subscriber.disconnect();
  expect(messages.join()).not.toContain('carla');
});
