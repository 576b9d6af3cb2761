import { afterEach, expect, test } from '@jest/globals';
import { createServer, type AddressInfo } from 'node:net';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import { readLogLines } from '../harness/log-lines.ts';
import { freshDir, ownMongo, ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World, type WorldOptions } from '../harness/world.ts';
import { createFreezer } from './freezer.ts';

let world: World;
/** Servers of a test's own: they end after what uses them. */
const servers: ServiceHandle[] = [];
afterEach(async () => {
  await world.close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function own(starting: Promise<ServiceHandle>): Promise<ServiceHandle> {
  const server = await starting;
  servers.push(server);
  return server;
}

const OPERATOR = { authorization: `Basic ${Buffer.from('admin:admin-password').toString('base64')}` };

interface Api {
  url: string;
}

async function healthOf(api: Api): Promise<{ status: number; warnings: string[]; checks: object }> {
  const response = await fetch(`${api.url}/health`);
  return { ...((await response.json()) as { warnings: string[]; checks: object }), status: response.status };
}

const warns = (api: Api, words: string | RegExp) =>
  eventually(
    `/health to warn: ${words}`,
    async () => {
      const { warnings } = await healthOf(api);
      const found = warnings.find((warning) => new RegExp(words).test(warning));
      if (found === undefined) throw new Error(warnings.join('; '));
      return found;
    },
    30_000,
  );

const warnsNoMore = (api: Api, words: string) =>
  eventually(
    `/health to warn no more: ${words}`,
    async () => !(await healthOf(api)).warnings.some((warning) => warning.includes(words)),
    30_000,
  );

async function overviewOf(api: Api) {
  const response = await fetch(`${api.url}/admin/api/overview`, { headers: OPERATOR });
  return (await response.json()) as { warnings: string[]; metrics: { queue: { states: object } } };
}

async function gaugesOf(api: Api, name: string): Promise<string[]> {
  const response = await fetch(`${api.url}/metrics`, { headers: { 'x-api-key': API_KEY } });
  return (await response.text()).split('\n').filter((line) => line.startsWith(name));
}

async function open(options: WorldOptions = {}) {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' }, ...options });
  return world.ready(world.api());
}

test('queues are paused: POST answers 202, and health, page, metrics and the worker’s log report it until they are resumed', async () => {
  const api = await open();
  const logs = freshDir('logs');
  await world.workerProcess({ LOG_DIR: logs });
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  await Promise.all([world.queue.pause(), world.bulk.pause()]);

  await warns(api, 'the live queue is paused: .*resume it on /admin/queues');
  await warns(api, 'the bulk queue is paused');
  expect((await healthOf(api)).status).toBe(200);
  const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
  expect(await gaugesOf(api, 'emission_queue_paused')).toEqual([
    'emission_queue_paused{queue="live"} 1',
    'emission_queue_paused{queue="bulk"} 1',
  ]);
  const { warnings, metrics } = await overviewOf(api);
  expect(warnings.filter((words) => words.includes('is paused'))).toHaveLength(2);
  expect(metrics.queue).toMatchObject({
    waiting: 1,
    states: { live: { paused: true }, bulk: { paused: true } },
  });
  expect(await gaugesOf(api, 'emission_queue_jobs{state="waiting"}')).toEqual([
    'emission_queue_jobs{state="waiting"} 1',
  ]);
  const [warned] = await gaugesOf(api, 'emission_health_warnings');
  expect(Number(warned!.split(' ')[1])).toBeGreaterThanOrEqual(2);
  await eventually(
    'the worker to log it',
    () => readLogLines(logs).filter(({ msg }) => msg === 'queue paused').length === 2,
  );

  await Promise.all([world.queue.resume(), world.bulk.resume()]);
  await world.jobIn(emissionId, 'completed');
  await warnsNoMore(api, 'is paused');
  await eventually(
    'the worker to log that it is over',
    () => readLogLines(logs).filter(({ msg }) => msg === 'queue resumed').length === 2,
  );
  expect(readLogLines(logs).filter(({ msg }) => msg === 'queue paused')).toHaveLength(2);
}, 120_000);

test('a global limit of concurrency or rate is named, with the call that removes it', async () => {
  const api = await open();
  await world.queue.setGlobalConcurrency(1);
  await world.bulk.setGlobalRateLimit(5, 1_000);
  await warns(api, /live queue runs at most 1 jobs at once.*removeGlobalConcurrency/);
  await warns(api, /bulk queue starts at most 5 jobs in 1000 ms.*removeGlobalRateLimit/);
  expect(await gaugesOf(api, 'emission_queue_limited')).toEqual([
    'emission_queue_limited{queue="live"} 1',
    'emission_queue_limited{queue="bulk"} 1',
  ]);
  await world.queue.removeGlobalConcurrency();
  await world.bulk.removeGlobalRateLimit();
  await warnsNoMore(api, 'queue runs');
  await warnsNoMore(api, 'queue starts');
});

test('no worker runs: health reports it until one has started', async () => {
  const api = await open();
  await warns(api, 'no worker has sent a heartbeat for 15 s: .*start a worker');
  world.worker();
  await warnsNoMore(api, 'no worker');
});

test('the sweep is off in every worker: health reports it until one worker has it on', async () => {
  const api = await open();
  world.worker();
  await warns(api, /worker [0-9a-f]{8}: the sweep is off \(RECONCILE_INTERVAL_MS=0\)/);
  world.worker({ RECONCILE_INTERVAL_MS: '60000' });
  await warnsNoMore(api, 'the sweep is off');
});

test('a worker cannot read MongoDB although the API can: health reports it', async () => {
  const mongo = await own(ownMongo());
  const api = await open();
  world.worker({ MONGODB_URI: `${mongo.url}/x`, RECONCILE_INTERVAL_MS: '1000' });
  await warnsNoMore(api, 'no worker');
  await mongo.stop();
  await warns(api, 'worker [0-9a-f]{8}: MongoDB cannot be read');
  await warns(api, 'worker [0-9a-f]{8}: the sweep fails: ');
  await mongo.restart();
  await warnsNoMore(api, 'the sweep fails');
}, 120_000);

test('a metrics port is in use: health names the process and the setting', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, resolve));
  const METRICS_PORT = String((taken.address() as AddressInfo).port);
  world = await createWorld();
  world.keep(taken, () => taken.close());
  const api = await world.ready(world.api({ METRICS_PORT }));
  await warns(api, /^the metrics port is not open: .*EADDRINUSE.*: set METRICS_PORT/);
  world.worker({ METRICS_PORT });
  await warns(api, /worker [0-9a-f]{8}: the metrics port is not open/);
});

test('log lines cannot be written: health reports it', async () => {
  world = await createWorld();
  const dir = freshDir('full-disk');
  mkdirSync(dir, { recursive: true });
  symlinkSync('/dev/full', join(dir, 'combined.log'));
  const full = await world.ready(world.apiProcess({ LOG_DIR: dir, LOG_LEVEL: 'trace' }));
  await warns(full, 'log lines are dropped: combined.log cannot be written');
  const none = await world.ready(world.apiProcess({ LOG_DIR: '/proc/nowhere' }));
  await warns(none, 'log lines are dropped: combined.log cannot be written');
}, 120_000);

test('a subscription does not answer while commands work: health reports it', async () => {
  const redis = await own(ownRedis());
  world = await createWorld({ redisUrl: redis.url });
  const freezer = await createFreezer(new URL(redis.url));
  world.keep(freezer, freezer.close);
  const api = await world.ready(world.api({ REDIS_URL: freezer.url }));
  freezer.freeze(/psubscribe/i);
  await warns(api, 'this gateway does not receive what is published');
  freezer.thaw();
  await warnsNoMore(api, 'does not receive');
}, 60_000);

test('Redis without an append-only file, or short of memory: health warns, and the API stays ready', async () => {
  const redis = await own(ownRedis({ appendOnly: false }));
  const api = await open({ redisUrl: redis.url });
  await warns(api, 'Redis has no append-only file: .*appendonly yes');
  await eventually('a warning of memory while it is ready', async () => {
    const [, used] = /used_memory:(\d+)/.exec(await world.redis.info('memory'))!;
    await world.redis.config('SET', 'maxmemory', String(Math.ceil(Number(used) / 0.93)));
    const { status, warnings } = await healthOf(api);
    return (
      status === 200 && warnings.some((words) => /Redis uses 9\d % of its maxmemory: raise it/.test(words))
    );
  });
  await world.redis.config('SET', 'maxmemory', '0');
  await warnsNoMore(api, 'maxmemory');
});

test('Redis rejects writes: not ready, with the reason and the remedy', async () => {
  const [redis, primary] = await Promise.all([own(ownRedis()), own(ownRedis())]);
  const api = await open({ redisUrl: redis.url });
  const { hostname, port } = new URL(primary.url);
  const isNotReady = (words: string) =>
    eventually(words, async () => {
      const { status, checks } = await healthOf(api);
      return status === 503 && JSON.stringify(checks).includes(words);
    });
  await world.redis.call('REPLICAOF', hostname, port);
  await isNotReady('Redis rejects writes: it is a read-only replica: REDIS_URL must name the primary');
  await world.redis.call('REPLICAOF', 'NO', 'ONE');
  await world.ready(Promise.resolve(api));
  await world.redis.config('SET', 'maxmemory', '1');
  await isNotReady('Redis rejects writes: its memory is full: raise maxmemory');
  await world.redis.config('SET', 'maxmemory', '0');
  await world.ready(Promise.resolve(api));
});
