import { afterEach, expect, test } from '@jest/globals';
import { readMetrics, readSeries } from '../../src/metrics/fleet/read-metrics.ts';
import { useFleet } from './world.ts';

const fleets = useFleet();
let reported: (string | undefined)[] = [];
afterEach(() => {
  reported = [];
});

type Fleet = ReturnType<typeof fleets.start>;
const read = ({ redis, prefix }: Fleet) =>
  readMetrics({ redis, prefix, reportDamage: (kind) => reported.push(kind) });

const BEATS = ['garbage', 'null', '[]', '1', '{}', '{"role":"api"}', '{"role":1,"id":"x","sockets":0}'];
BEATS.push('{"role":"worker","id":"x","sockets":"many"}', '{"role":"worker","id":"x","sockets":-1}');
BEATS.push('{"role":"__proto__","id":"x","sockets":0}', '{"role":"constructor","id":"x","sockets":0}');

test.each(BEATS)('the heartbeat %s is left out, and the others are read', async (value) => {
  const fleet = fleets.start();
  fleet.process().heartbeat({ role: 'worker', id: 'good' });
  const process = fleet.process();
  process.heartbeat({ role: 'gateway', id: 'other', sockets: 3 });
  await process.flush();
  await fleet.redis.zadd(`{${fleet.prefix}}:live`, Date.now(), 'x:y');
  await fleet.redis.hset(`{${fleet.prefix}}:beats`, 'x:y', value);
  const { fleet: seen } = await read(fleet);
  expect(seen.processes.gateway).toMatchObject([{ id: 'other', sockets: 3 }]);
  expect(seen.processes.worker.map(({ id }) => id)).not.toContain('x');
  expect(seen.sockets).toBe(3);
});

test.each(['+inf', '99999999999999'])('a heartbeat with the time %s expires', async (time) => {
  const fleet = fleets.start();
  await fleet.redis.zadd(`{${fleet.prefix}}:live`, time, 'worker:x');
  await fleet.redis.hset(`{${fleet.prefix}}:beats`, 'worker:x', '{"role":"worker","id":"x","sockets":0}');
  expect((await read(fleet)).fleet.processes.worker).toEqual([]);
  const process = fleet.process();
  process.heartbeat({ role: 'api', id: 'good' });
  expect(await process.flush()).toBe(true);
  expect(await fleet.redis.zcard(`{${fleet.prefix}}:live`)).toBe(1);
});

test.each(['live', 'beats', 'total', 'companies:gateway:g'])(
  'if the key %s has another type, readings succeed and it starts again',
  async (name) => {
    const fleet = fleets.start();
    const process = fleet.process();
    const beat = () => {
      process.count('appointment:created', 'accepted');
      process.heartbeat({ role: 'gateway', id: 'g', sockets: 1, companies: ['a'] });
      return process.flush();
    };
    await beat();
    const key = `{${fleet.prefix}}:${name}`;
    for (const write of [
      () => fleet.redis.set(key, 'garbage'),
      () => fleet.redis.rpush(key, 'garbage'),
      () => fleet.redis.xadd(key, '*', 'garbage', 'x'),
    ]) {
      await fleet.redis.del(key);
      await write();
      expect((await read(fleet)).at).toBeTruthy();
      expect(await beat()).toBe(true);
      const { fleet: seen, overall } = await read(fleet);
      expect(seen).toMatchObject({ sockets: 1, companies: 1 });
      expect(overall.total.accepted).toBeGreaterThan(0);
    }
  },
);

test('malformed counts are left out, reported, and restart', async () => {
  const fleet = fleets.start();
  const process = fleet.process();
  process.count('appointment:created', 'accepted');
  process.count('appointment:created', 'published');
  process.observe('total', 5);
  await process.flush();
  for (const key of await fleet.keys()) {
    if (!/:(total|slot:\d+|minute:\d+)$/.test(key)) continue;
    await fleet.redis.hset(key, 'c|appointment:created|accepted', 'garbage');
  }
  const { overall } = await read(fleet);
  expect(overall.total).toMatchObject({ accepted: 0, published: 1 });
  expect(overall['1m']).toMatchObject({ accepted: 0, published: 1 });
  expect(reported).toContain('metrics');
  process.count('appointment:created', 'accepted');
  expect(await process.flush()).toBe(true);
  expect((await read(fleet)).overall.total).toMatchObject({ accepted: 1, published: 1 });
});

test('if counts and latencies have another type, readings succeed and they start again', async () => {
  const fleet = fleets.start();
  const process = fleet.process();
  const count = () => {
    process.count('appointment:created', 'accepted');
    process.observe('total', 5);
    return process.flush();
  };
  await count();
  for (const key of await fleet.keys()) {
    if (!/slot|minute/.test(key)) continue;
    await fleet.redis.del(key);
    await fleet.redis.rpush(key, 'garbage');
  }
  expect((await read(fleet)).overall['1h'].accepted).toBe(0);
  expect((await readSeries({ redis: fleet.redis, prefix: fleet.prefix })).minutes).toHaveLength(61);
  expect(await count()).toBe(true);
  const { overall, latencyMs } = await read(fleet);
  expect(overall['1h'].accepted).toBe(1);
  expect(latencyMs.total['1h'].count).toBe(1);
});
