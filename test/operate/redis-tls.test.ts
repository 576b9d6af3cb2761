import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { ownRedisWithUsers, type RedisUser } from '../harness/redis-users.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const TLS = new URL('../harness/fixtures/tls/', import.meta.url);
const SERVER = {
  cert: readFileSync(new URL('server.pem', TLS)),
  key: readFileSync(new URL('server.key', TLS)),
};
const trusting = (ca: string) => ({ NODE_EXTRA_CA_CERTS: fileURLToPath(new URL(ca, TLS)) });

// Processes take long to start on a busy machine.
jest.setTimeout(180_000);

let redis: ServiceHandle;
let urls: Record<RedisUser, string>;
/** Speaks TLS in front of it: the Redis of the tests may be built without. */
let front: TcpProxy;
let world: World;
beforeAll(async () => {
  ({ redis, urls } = await ownRedisWithUsers());
  front = await startTcpProxy(redis.port, undefined, SERVER);
  world = await createWorld({
    redisUrl: urls.operator,
    env: {
      QUEUE_PREFIX: '{emissions}',
      SOCKET_ADAPTER_KEY: 'socket.io:0:{emissions}',
      RECONCILE_INTERVAL_MS: '0',
    },
  });
});
afterAll(async () => {
  await world.close();
  await front.close();
  await redis.stop();
});

/** The user's address by way of TLS. */
function encrypted(user: RedisUser, host = 'localhost'): string {
  const url = new URL(urls[user].replace('redis:', 'rediss:'));
  url.host = `${host}:${front.port}`;
  return url.href;
}

/** Across real processes: Node reads whom to trust at its start. */
async function expectPublished(address: (user: RedisUser) => string): Promise<void> {
  const trust = trusting('ca.pem');
  const [api, worker, company] = await Promise.all([
    world.ready(world.apiProcess({ ...trust, REDIS_URL: address('api') })),
    world.workerProcess({ ...trust, REDIS_URL: address('worker') }),
    world.documents.company(),
  ]);
  const dashboard = await world.dashboard(api, company.companyId);
  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
  await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  await Promise.all([api.stop(), worker.stop()]);
}

test('an appointment reaches the dashboard over a Redis with TLS and a private certificate authority', async () => {
  await expectPublished(encrypted);
});

test.each<[string, Record<string, string>, string, RegExp]>([
  ['another authority', trusting('other-ca.pem'), 'localhost', /certificate.*NODE_EXTRA_CA_CERTS/],
  ['another name', trusting('ca.pem'), '127.0.0.1', /altnames.*127\.0\.0\.1/],
])(
  'a Redis with a certificate of %s receives nothing, and log and health give the reason',
  async (_, env, host, why) => {
    const api = await world.apiProcess({ ...env, REDIS_URL: encrypted('api', host) });
    await expectRefused(api, why);
    expect(api.output()).toMatch(why);
    await api.stop();
  },
);

test('without the private authority its certificate is refused', async () => {
  await expectRefused(await world.api({ REDIS_URL: encrypted('api') }), /certificate.*NODE_EXTRA_CA_CERTS/);
});

test('a wrong password is reported, with the file of the users', async () => {
  const wrong = urls.api.replace(':users-password@', ':wrong@');
  await expectRefused(await world.api({ REDIS_URL: wrong }), /WRONGPASS.*REDIS_URL.*docs\/guides\/redis\.md/);
});

test('a missing permission is reported with the user, the command and the file of the rules', async () => {
  await world.redis.call('ACL', 'SETUSER', 'api', '-info');
  try {
    // Redis 7.0 does not name the user.
    const why = /NOPERM (User api|this user) has no permissions to run the 'info' command.*users\.acl/;
    // A process: its standard error gets ioredis' warning that it can't check whether Redis has loaded its data.
    const api = await world.apiProcess({ REDIS_URL: urls.api });
    await healthTells(api, why);
    await api.stop();
  } finally {
    await world.redis.call('ACL', 'SETUSER', 'api', '+info');
  }
});

function healthTells(api: { url: string }, why: RegExp): Promise<unknown> {
  return eventually(`health to tell ${String(why)}`, async () => {
    const { checks } = (await (await fetch(`${api.url}/health`)).json()) as {
      checks: { redis: { ok: boolean; detail?: string } };
    };
    return !checks.redis.ok && why.test(checks.redis.detail ?? '');
  });
}

async function expectRefused(api: { url: string }, why: RegExp): Promise<void> {
  const company = await world.documents.company();
  await healthTells(api, why);
  const appointmentId = await company.appointment();
  expect((await world.post(api, 'appointment-created', { appointmentId })).status).toBe(503);
}
