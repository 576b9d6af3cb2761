import { Worker } from 'bullmq';
import { Types } from 'mongoose';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runErase } from '../../src/cli/run-erase.ts';
import { loadWorkerConfig } from '../../src/config.ts';
import { createPublishedKeys } from '../../src/emission/published-keys.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import { scanKeys } from '../../src/redis/connect.ts';
import { createErase } from '../../src/repair/erase.ts';
import { createEmissionWorld } from '../emission/emission-world.ts';
import type { Company } from '../harness/documents.ts';
import { ownCluster } from '../harness/own-cluster.ts';
import { ownRedisWithUsers } from '../harness/redis-users.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { quietWorld } from './admin.ts';

let world: World;
let api: RunningApi;
beforeAll(async () => {
  world = await quietWorld();
  api = await world.api();
  world.worker();
});
afterAll(() => world.close());

const erase = (request: object) => runErase(loadWorkerConfig(world.env), request);

const noneMissed = (): void => undefined;

/** Where Redis keeps a text: in the name or the value of a key. */
async function placesOf(text: string): Promise<string[]> {
  const places: string[] = [];
  for await (const keys of scanKeys(
    world.redis,
    `{${world.env['QUEUE_PREFIX']!.slice(1, -1)}*`,
    noneMissed,
  )) {
    for (const key of keys) if (`${key} ${await readValue(key)}`.includes(text)) places.push(key);
  }
  return places;
}

async function readValue(key: string): Promise<string> {
  const { redis } = world;
  const readers: Record<string, () => Promise<unknown>> = {
    string: () => redis.get(key),
    hash: () => redis.hgetall(key),
    list: () => redis.lrange(key, 0, -1),
    set: () => redis.smembers(key),
    zset: () => redis.zrange(key, 0, '-1'),
    stream: () => redis.xrange(key, '-', '+'),
  };
  return JSON.stringify(await readers[await redis.type(key)]?.());
}

async function publish(appointmentId: string): Promise<string> {
  const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
  await world.jobIn(emissionId, 'completed');
  await eventually('the index to have it', async () =>
    (await placesOf(appointmentId)).some((key) => key.includes(':published:')),
  );
  return emissionId;
}

const removeDocuments = async (...appointmentIds: string[]) => {
  for (const appointmentId of appointmentIds)
    await world.documents.models.Appointment.collection.deleteOne({ _id: new Types.ObjectId(appointmentId) });
};

/** A company with a published, a failed and two waiting emissions. Queues are paused afterwards. */
async function busyCompany(): Promise<{ company: Company; ids: [string, string, string] }> {
  const company = await world.documents.company();
  const ids: [string, string, string] = [
    await company.appointment(),
    await company.appointment(),
    await company.appointment(),
  ];
  await publish(ids[0]);
  await world.jobs.pause();
  const failing = await world.emit(api, 'appointment-updated', ids[1]);
  const restore = await world.documents.giveAway(ids[1]);
  await world.jobs.resume();
  await world.jobIn(failing, 'failed');
  await restore();
  await world.jobs.pause();
  await world.emit(api, 'appointment-updated', ids[2]);
  const emissions = [{ event: 'appointment:updated', appointmentId: ids[2] }];
  expect((await world.post(api, 'batch', { emissions })).status).toBe(202);
  return { company, ids };
}

test('a company is erased: its jobs in any state, log, order tokens, indexes and last ids, and nothing of another company', async () => {
  const other = await world.documents.company();
  const kept = await other.appointment();
  const keptEmission = await publish(kept);
  const { company, ids } = await busyCompany();
  const { companyId } = company;
  const before = await world.redis.hget(world.keys.position(companyId), 'epoch');
  const places = await placesOf(kept);

  const dry = await erase({ companyId, dryRun: true });
  expect(dry).toMatchObject({ dryRun: true, jobs: 4, orderTokens: 2, logs: 1, removed: 0 });
  expect((await placesOf(companyId)).length).toBeGreaterThan(5);

  await removeDocuments(...ids);
  const report = await erase({ companyId });
  expect(report).toMatchObject({ jobs: 4, logs: 1, complete: true });
  expect(report.matched).toBe(report.removed);
  for (const id of [companyId, ...ids]) expect([id, await placesOf(id)]).toEqual([id, []]);
  const withoutEvents = (keys: string[]) => keys.filter((key) => !key.endsWith(':events')).sort();
  expect(withoutEvents(await placesOf(kept))).toEqual(withoutEvents(places));
  expect(await world.jobs.stateOf(keptEmission)).toBe('completed');
  expect(await erase({ companyId })).toMatchObject({ matched: 0, complete: true });

  // A dashboard with a position of before reloads, and the next emission arrives in another epoch.
  await world.jobs.resume();
  const dashboard = await world.dashboard(api, companyId, { position: { epoch: before!, offset: 1 } });
  expect(dashboard.positions[0]).toMatchObject({ recovered: false, reason: 'epoch', offset: 0 });
  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
  const { meta } = await dashboard.receive((received) => received.meta.emissionId === emissionId);
  expect([meta.offset, meta.epoch === before]).toEqual([1, false]);
});

test('an appointment is erased, and its company keeps the others; dashboards reload', async () => {
  const { company, ids } = await busyCompany();
  await world.jobs.resume();
  const [erased, kept] = ids;
  const keptEmission = await publish(kept);
  const dashboard = await world.dashboard(api, company.companyId);
  const { epoch } = dashboard.positions[0]!;
  await removeDocuments(erased);
  expect(await erase({ appointmentId: erased.toUpperCase() })).toMatchObject({ logs: 1, complete: true });
  expect(await placesOf(erased)).toEqual([]);
  expect(await world.jobs.stateOf(keptEmission)).toBe('completed');
  expect(await world.redis.zscore(world.keys.published(company.companyId), kept)).not.toBeNull();

  const next = await publish(kept);
  const { meta } = await dashboard.receive((received) => received.meta.emissionId === next);
  expect(meta.epoch).not.toBe(epoch);
});

test('an appointment is found in a log that outlived its order token, index and jobs', async () => {
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  await world.jobs.resume();
  const emissionId = await publish(appointmentId);
  for (const key of await placesOf(appointmentId)) {
    if (!key.endsWith(':log')) await world.redis.del(key);
  }
  await world.jobs.get(emissionId).then((job) => job?.remove());
  expect(await erase({ appointmentId })).toMatchObject({ logs: 1, complete: true });
  expect(await placesOf(appointmentId)).toEqual([]);
});

test('a job that a worker runs during the erasure is erased when it has ended', async () => {
  const own = await createWorld();
  world.keep(own, () => own.close());
  const [companyId, appointmentId] = [new Types.ObjectId().toHexString(), new Types.ObjectId().toHexString()];
  const [emission, waiting] = ['first', 'second'];
  for (const jobId of [emission, waiting])
    await own.queue.add(
      'appointment:updated',
      { v: 1, companyId, appointmentId, emissionId: jobId },
      { jobId },
    );
  const worker = new Worker(own.queue.name, null, {
    ...{ connection: own.redis, prefix: own.env['QUEUE_PREFIX']!, autorun: false },
  });
  own.keep(worker, () => worker.close(true));
  const job = await worker.getNextJob('token');
  const erasing = runErase(loadWorkerConfig(own.env), { appointmentId });
  await eventually('the first pass', async () => (await own.jobs.stateOf(waiting)) === 'unknown');
  expect(await own.jobs.stateOf(emission)).toBe('active');
  await job.moveToCompleted('done', 'token', false);
  expect(await erasing).toMatchObject({ jobs: 2, complete: true });
  expect(await own.jobs.stateOf(emission)).toBe('unknown');
});

test('a worker that read an appointment before its erasure reads it again, and publishes it in a new epoch', async () => {
  const emissions = createEmissionWorld();
  world.keep(emissions, () => {
    emissions.close();
  });
  const { redis, keys, companyId } = emissions;
  const eraseCompany = createErase({
    ...{ redis, prefix: '{emission-world}', queues: () => [], companyKeys: keys },
    publishedCompanies: createPublishedKeys('{emission-world}').companies,
  });
  const appointmentId = emissions.appointment();
  const first = await emissions.emit(appointmentId);
  emissions.onLoad(async () => {
    emissions.onLoad(() => undefined);
    expect(await eraseCompany({ companyId })).toMatchObject({ orderTokens: 1, logs: 1, complete: true });
  });
  const second = await emissions.emit(appointmentId);
  expect(emissions.loads).toHaveLength(3);
  expect([second.offset, second.epoch === first.epoch]).toEqual([1, false]);
  expect(await eraseCompany({ companyId })).toMatchObject({ orderTokens: 1, published: 1, complete: true });
  expect(await redis.keys(`*${companyId}*`)).toEqual([]);
});

test('thousands of keys are erased in slices, including keys that another program damaged', async () => {
  const own = await createWorld();
  world.keep(own, () => own.close());
  const { redis, keys } = own;
  const companyId = new Types.ObjectId().toHexString();
  const ids = Array.from({ length: 5_000 }, (_, index) => `e${index.toString(16).padStart(23, '0')}`);
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hset(keys.order(companyId, id), 'token', 'x');
  pipeline.zadd(keys.published(companyId), ...ids.flatMap((id) => [1, id]));
  pipeline.zadd(
    `${own.env['QUEUE_PREFIX']!}:recent:1`,
    ...ids.flatMap((id) => [0, `${id} 2026 x`]),
    0,
    'f 2026 x',
  );
  pipeline.hset(
    `${own.env['QUEUE_PREFIX']!}:published:1:abc`,
    'b'.repeat(24),
    companyId,
    'c'.repeat(24),
    'd'.repeat(24),
  );
  pipeline
    .set(`${own.env['QUEUE_PREFIX']!}:recent:2`, 'garbage')
    .rpush(`${own.env['QUEUE_PREFIX']!}:published:2:abc`, 'x');
  pipeline.set(keys.log(companyId), 'garbage').set(own.queue.toKey('damaged'), companyId);
  pipeline.hset(own.queue.toKey('torn'), 'data', `{"companyId":"${companyId}"`);
  await pipeline.exec();
  const report = await runErase(loadWorkerConfig(own.env), { companyId });
  expect(report).toMatchObject({
    jobs: 1,
    orderTokens: 5_000,
    logs: 1,
    published: 5_001,
    recent: 5_000,
    complete: true,
  });
  expect(await redis.zcard(`${own.env['QUEUE_PREFIX']!}:recent:1`)).toBe(1);
  expect(await redis.hlen(`${own.env['QUEUE_PREFIX']!}:published:1:abc`)).toBe(1);
  expect(await redis.exists(keys.log(companyId), keys.published(companyId))).toBe(0);
});

test.each([
  {},
  { companyId: 'x' },
  { companyId: 'a'.repeat(24), appointmentId: 'a'.repeat(24) },
  { companyId: '*' },
])('erase of %j is refused', async (request) => {
  await expect(erase(request)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
});

test('without the rights of the Redis user operator, erase removes nothing and reports the reason', async () => {
  const { redis, urls } = await ownRedisWithUsers();
  world.keep(redis, () => redis.stop());
  const config = (url: string) =>
    loadWorkerConfig({ ...world.env, REDIS_URL: url, QUEUE_PREFIX: '{emissions}' });
  const request = { companyId: 'a'.repeat(24) };
  await expect(runErase(config(urls.api), request)).rejects.toThrow(
    /^erase needs the Redis user "operator" of ops\/redis\/users\.acl in REDIS_URL: .*scan/i,
  );
  expect(await runErase(config(urls.operator), request)).toMatchObject({ matched: 0, complete: true });
});

test('an erasure on a Cluster is not complete while one of its masters is down', async () => {
  const cluster = await ownCluster();
  const away = await createWorld({ redisUrl: cluster.url });
  try {
    for (const { client } of cluster.nodes) await client.config('SET', 'cluster-require-full-coverage', 'no');
    const companyId = new Types.ObjectId().toHexString();
    const check = () => runErase(loadWorkerConfig(away.env), { companyId, dryRun: true });
    expect(await check()).toMatchObject({ matched: 0, complete: true });

    const used = [
      await cluster.serving(away.env['QUEUE_PREFIX']!),
      await cluster.serving(away.keys.position(companyId)),
    ];
    const unused = cluster.nodes.find((node) => !used.includes(node))!;
    await unused.service.kill();
    expect(await check()).toMatchObject({ matched: 0, complete: false });
  } finally {
    await away.close();
    await cluster.stop();
  }
});
