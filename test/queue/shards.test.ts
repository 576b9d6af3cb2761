import { afterEach, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import { readStatus } from '../../src/cli/read-status.ts';
import { runRepair } from '../../src/cli/run-repair.ts';
import { setQueuesPaused } from '../../src/cli/set-queues-paused.ts';
import { loadWorkerConfig } from '../../src/config.ts';
import { createMetrics } from '../../src/metrics/create-metrics.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { connectRedis } from '../../src/redis/connect.ts';
import { openShards, type Shards } from '../../src/queue/shards.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';

const SHARDS = 3;
const ID = '65f0c0ffee65f0c0ffee00c0';
const THREE = { QUEUE_SHARDS: String(SHARDS) };
const OPERATOR = { authorization: `Basic ${Buffer.from('admin:admin-password').toString('base64')}` };

let world: World;
afterEach(() => world.close());

/** Jobs wait for a worker, unless a test turns direct jobs on. */
async function openWorld(): Promise<void> {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', API_CONCURRENCY: '0' }, shards: SHARDS });
}

/** A company of this shard, if there are three. */
function companyOf(shard: number): Promise<Company> {
  for (;;) {
    const companyId = new Types.ObjectId().toHexString();
    if (world.shardPlan.shardOf(companyId, SHARDS) === shard) return world.documents.company(companyId);
  }
}

/** Emits until the job is in this shard: a process that has just started adds its first jobs to shard 0. */
async function emitTo(shard: number, api: { url: string }, appointmentId: string): Promise<string> {
  return eventually(`a job in shard ${shard}`, async () => {
    const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
    return (await world.shards[shard]!.live.getJob(emissionId)) ? emissionId : undefined;
  });
}

function open(shards: number, url = world.env['REDIS_URL']!): Shards {
  const redis = connectRedis(url, 'request');
  const opened = openShards({
    redis,
    prefix: world.env['QUEUE_PREFIX']!,
    shards,
    reportDamage: (kind) => damages.push(kind),
    onError: () => undefined,
  });
  world.keep(opened, async () => {
    await opened.close();
    redis.disconnect();
  });
  return opened;
}
let damages: string[] = [];
const shardsKey = () => `${world.env['QUEUE_PREFIX']!}:shards`;

test('with one shard the queues keep their names, and no number of shards is stored', async () => {
  await openWorld();
  const api = await world.ready(world.api());
  world.worker();
  const company = await companyOf(2);
  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
  await world.jobIn(emissionId, 'completed');
  expect(await world.queue.getJob(emissionId)).toBeDefined();
  expect(await world.redis.exists(shardsKey())).toBe(0);
});

test('jobs of a company, including batches, are in its shard; workers run those of all shards, and dashboards receive them', async () => {
  await openWorld();
  const api = await world.ready(world.api(THREE));
  world.worker(THREE);
  for (const shard of world.shards) {
    const company = await companyOf(shard.index);
    const dashboard = await world.dashboard(api, company.companyId);
    const appointmentId = await company.appointment();
    const emissionId = await emitTo(shard.index, api, appointmentId);
    await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
    const response = await world.post(api, 'batch', {
      emissions: [{ event: 'appointment:updated', appointmentId }],
    });
    const { results } = (await response.json()) as { results: { emissionId: string }[] };
    await dashboard.receive(({ meta }) => meta.emissionId === results[0]!.emissionId);
    expect(await shard.bulk.getJob(results[0]!.emissionId)).toBeDefined();
  }
});

test('a worker with one shard finds the shards of other processes, and shards that no process has any more', async () => {
  await openWorld();
  world.worker();
  const api = await world.ready(world.api(THREE));
  const [company, last] = [await companyOf(1), await companyOf(2)];
  const found = await emitTo(1, api, await company.appointment());
  await world.jobIn(found, 'completed');

  await world.shards[2]!.live.pause();
  const left = await emitTo(2, api, await last.appointment());
  await api.close();
  const single = await world.ready(world.api());
  await world.shards[2]!.live.resume();
  await world.jobIn(left, 'completed');
  // Its timeline is found too.
  const timeline = await fetch(`${single.url}/api/v1/internal/socket/emissions/${left}`, {
    headers: { 'x-api-key': API_KEY },
  });
  expect(((await timeline.json()) as { state: string }).state).toBe('completed');
});

test('jobs of one appointment in two shards: the screen shows the last write, and each emission is published once', async () => {
  await openWorld();
  const company = await companyOf(1);
  const appointmentId = await company.appointment({ notes: 'first' });
  const [before, after] = [await world.ready(world.api()), await world.ready(world.api(THREE))];
  const dashboard = await world.dashboard(after, company.companyId);
  const older = await world.emit(before, 'appointment-created', appointmentId);
  await company.change(appointmentId, { notes: 'second' });
  const newer = await emitTo(1, after, appointmentId);

  // The shard of before is the last to be processed.
  await world.queue.pause();
  world.worker();
  await dashboard.receive(({ meta }) => meta.emissionId === newer);
  await company.change(appointmentId, { notes: 'third' });
  await world.queue.resume();
  await dashboard.receive(({ meta }) => meta.emissionId === older);
  const shown = dashboard.received.map(({ payload, meta }) => [payload.appointment.notes, meta.offset]);
  expect(shown.at(-1)![0]).toBe('third');
  expect(shown.map(([, offset]) => offset)).toEqual(shown.map((_, index) => index + 1));
});

test('the API runs direct jobs in every shard', async () => {
  await openWorld();
  const api = await world.ready(world.api({ ...THREE, API_CONCURRENCY: '10' }));
  for (const { index } of world.shards) {
    const appointmentId = await (await companyOf(index)).appointment();
    // A busy process leaves jobs to workers, and there is none.
    const emissionId = await eventually('a job that runs at once', async () => {
      const id = await emitTo(index, api, appointmentId);
      const job = await world.shards[index]!.live.getJob(id);
      return job?.processedOn === undefined ? undefined : id;
    });
    await world.jobIn(emissionId, 'completed');
  }
});

test('failed jobs of every shard are listed, shown on Bull Board and retried, one and many', async () => {
  await openWorld();
  const api = await world.ready(world.api({ ...THREE, ADMIN_WRITES: 'on', EMISSION_ATTEMPTS: '1' }));
  const headers = { ...OPERATOR, 'content-type': 'application/json', origin: api.url };
  const companies = await Promise.all(world.shards.map(({ index }) => companyOf(index)));
  const restores: (() => Promise<unknown>)[] = [];
  const failed: string[] = [];
  for (const [shard, company] of companies.entries()) {
    const appointmentId = await company.appointment();
    failed.push(await emitTo(shard, api, appointmentId));
    restores.push(await world.documents.giveAway(appointmentId));
  }
  world.worker({ ...THREE, EMISSION_ATTEMPTS: '1' });
  for (const emissionId of failed) await world.jobIn(emissionId, 'failed');
  for (const restore of restores) await restore();

  const overview = await fetch(`${api.url}/admin/api/overview`, { headers });
  const { failures, metrics } = (await overview.json()) as {
    failures: { emissionId: string; queue: string }[];
    metrics: { queue: { failed: number; shards: { shard: number; jobs: { failed: number } }[] } };
  };
  expect(failures.map(({ emissionId }) => emissionId)).toEqual(expect.arrayContaining(failed));
  expect(failures.map(({ queue }) => queue)).toEqual(
    expect.arrayContaining(world.shards.map(({ live }) => live.name)),
  );
  expect(metrics.queue.shards.map(({ shard, jobs }) => [shard, jobs.failed > 0])).toEqual([
    [0, true],
    [1, true],
    [2, true],
  ]);
  const board = await fetch(`${api.url}/admin/queues/api/queues`, { headers });
  const { queues } = (await board.json()) as { queues: { name: string }[] };
  expect(queues.map(({ name }) => name).sort()).toEqual(
    world.shards.flatMap(({ live, bulk }) => [live.name, bulk.name]).sort(),
  );

  const post = (path: string, body: object) =>
    fetch(`${api.url}/admin/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect((await post('retry', { emissionId: failed[2] })).status).toBe(200);
  await world.jobIn(failed[2]!, 'completed');
  expect(await (await post('retry-failed', { since: '1h' })).json()).toMatchObject({ repaired: 2 });
  for (const emissionId of failed) await world.jobIn(emissionId, 'completed');
  expect(await world.shards[1]!.bulk.getJob(failed[1]!)).toBeDefined();
});

test('/health names a shard with jobs that no worker takes, and a paused queue of a shard', async () => {
  await openWorld();
  const api = await world.ready(world.api(THREE));
  // The heartbeat of a worker of an earlier version.
  const older = createMetrics({
    redis: world.redis,
    prefix: `${world.env['QUEUE_PREFIX']!.slice(1, -1)}-metrics`,
    onError: () => undefined,
  });
  world.keep(older, older.close);
  older.heartbeat({ role: 'worker', id: 'older' });
  const company = await companyOf(2);
  await emitTo(2, api, await company.appointment());
  // As a process leaves a job if it dies.
  const active = world.shards[2]!.live.toKey('active');
  await world.redis.lpush(active, 'a-left-job');
  await world.shards[1]!.bulk.pause();
  const warnings = async () =>
    ((await (await fetch(`${api.url}/health`)).json()) as { warnings: string[] }).warnings;
  await eventually('both warnings', async () => {
    const found = await warnings();
    const words = [
      /2 emissions wait in shard 2, and no worker takes them/,
      /bulk queue of shard 1 is paused/,
    ];
    return words.every((word) => found.some((warning) => word.test(warning)));
  });
  await world.redis.del(active);
  world.worker();
  await eventually(
    'no warning of shard 2',
    async () => !(await warnings()).some((one) => one.includes('shard 2')),
  );
});

test('a process whose number cannot be stored adds all jobs to shard 0', async () => {
  await openWorld();
  const { prefix } = world.shards[0]!;
  const user = `unregistered-${world.env['SOCKET_ADAPTER_KEY']!}`;
  await world.redis.call(
    'ACL',
    'SETUSER',
    user,
    'on',
    '>secret-password',
    '+@all',
    `~${prefix}:appointment*`,
    `~${prefix.slice(0, -1)}:shard:*`,
  );
  world.keep(user, () => world.redis.call('ACL', 'DELUSER', user));
  const url = new URL(world.env['REDIS_URL']!);
  [url.username, url.password] = [user, 'secret-password'];
  const shards = open(SHARDS, url.href);
  const { companyId } = await companyOf(2);
  await eventually('the update to be refused', () =>
    shards.update().then(
      () => false,
      () => true,
    ),
  );
  expect(shards.of(companyId).index).toBe(0);
  await world.redis.call('ACL', 'SETUSER', user, `~${prefix}:shards`);
  await shards.update();
  expect(shards.of(companyId).index).toBe(2);
});

test('the last shard is retired by a process that does not use it, unless the number has changed', async () => {
  await openWorld();
  const [three, one] = [open(SHARDS), open(1)];
  await eventually('the number to be stored', () =>
    three.update().then(
      () => true,
      () => false,
    ),
  );
  await one.update();
  expect(three.lastUnused()).toBeUndefined();
  const last = one.lastUnused()!;
  expect(last.index).toBe(2);
  expect(await one.retire(last)).toBe(true);
  expect(await one.retire(last)).toBe(false);
  expect(one.lastUnused()!.index).toBe(1);
  await three.update();
  expect(await world.redis.get(shardsKey())).toBe('3');
});

test('commands open as many shards as the number in Redis, do not change it, and report that it is damaged', async () => {
  await openWorld();
  const operator = { ...world.env, QUEUE_SHARDS: '7' };
  const config = loadWorkerConfig(operator);
  await readStatus(operator);
  await setQueuesPaused(config, ['bulk'], true);
  expect(await world.redis.get(shardsKey())).toBeNull();
  expect(await world.shards[0]!.bulk.isPaused()).toBe(true);
  expect(await world.shards[2]!.bulk.isPaused()).toBe(false);

  await world.redis.set(shardsKey(), '3');
  await readStatus(operator);
  await setQueuesPaused(config, ['live'], true);
  const reEmit = { name: 're-emit', argument: undefined, options: { company: ID, since: '1h' } } as const;
  await runRepair(config, DEFAULT_MODEL, reEmit);
  expect(await world.redis.get(shardsKey())).toBe('3');
  expect(await Promise.all(world.shards.map(({ live }) => live.isPaused()))).toEqual([true, true, true]);

  const damages = [
    () => world.redis.set(shardsKey(), 'many'),
    () => world.redis.set(shardsKey(), '49'),
    () => world.redis.multi().del(shardsKey()).rpush(shardsKey(), 'garbage').exec(),
  ];
  for (const damage of damages) {
    await damage();
    const words = `the number of shards in Redis is damaged: delete the key ${shardsKey()}`;
    expect((await readStatus(operator)).text).toContain(`! ${words}`);
    await expect(setQueuesPaused(config, ['live'], false)).rejects.toThrow(words);
    await expect(runRepair(config, DEFAULT_MODEL, reEmit)).rejects.toThrow(words);
  }
  expect(await world.redis.lrange(shardsKey(), 0, -1)).toEqual(['garbage']);
});

test('the number of shards rises, and is stored again if it is lost or damaged', async () => {
  await openWorld();
  damages = [];
  const [three, one] = [open(SHARDS), open(1)];
  const update = (shards: Shards) =>
    eventually('an update', () =>
      shards.update().then(
        () => true,
        () => false,
      ),
    );
  await update(three);
  await update(one);
  expect(one.all()).toHaveLength(3);
  expect(await world.redis.get(shardsKey())).toBe('3');
  for (const damage of ['', 'many', '-5', '1e3', '49', '1000000']) {
    await world.redis.set(shardsKey(), damage);
    await one.update();
    await three.update();
    expect(await world.redis.get(shardsKey())).toBe('3');
  }
  await world.redis.del(shardsKey());
  await world.redis.rpush(shardsKey(), 'garbage');
  await one.update();
  expect(damages).toEqual(['shards']);
  await three.update();
  expect(await world.redis.get(shardsKey())).toBe('3');
  expect(one.all()).toHaveLength(3);
});

test('queues that were paused before a shard is added are paused in it too, also if it was retired before', async () => {
  await openWorld();
  const config = loadWorkerConfig(world.env);
  const states = () =>
    Promise.all(world.shards.map(async ({ live, bulk }) => [await live.isPaused(), await bulk.isPaused()]));
  await setQueuesPaused(config, ['live'], true);
  // As a shard that was paused when it was retired.
  await world.shards[2]!.bulk.pause();
  const added = open(SHARDS);
  await eventually('an update', () => added.update().then(() => true));
  expect(await states()).toEqual([
    [true, false],
    [true, false],
    [true, false],
  ]);
  await setQueuesPaused(config, ['live'], false);
  expect((await states()).flat()).not.toContain(true);
});
