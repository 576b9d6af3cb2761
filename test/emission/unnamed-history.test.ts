import { afterEach, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { createCompanyLog } from '../../src/emission/company-log.ts';
import { createTakeSnapshots } from '../../src/emission/take-snapshots.ts';
import type { RedisClient } from '../../src/redis/connect.ts';
import { createEmissionWorld } from './emission-world.ts';

/** What a server answers to INFO: some hosted or compatible servers leave fields out. */
const INFO: [without: string, replication: string, server: string][] = [
  ['a replication id', 'role:master', 'run_id:a1'],
  ['a value of the replication id', 'role:master\\r\\nmaster_replid:', 'run_id:a1'],
  ['a run id', 'role:master\\r\\nmaster_replid:b2', 'redis_version:7.0.0'],
  ['either id', 'role:master', 'redis_version:7.0.0'],
  ['any field', '', ''],
];

let world: ReturnType<typeof createEmissionWorld>;
afterEach(() => {
  world.close();
});

test.each(INFO)('a server whose INFO lacks %s keeps one epoch', async (_, replication, server) => {
  const info = { replication, server };
  world = createEmissionWorld((redis) => withInfo(redis, info));
  const { companyId, keys } = world;
  const appointmentId = world.appointment();
  const first = await world.emit(appointmentId);
  const second = await world.emit(appointmentId);
  expect([first.offset, second]).toMatchObject([1, { epoch: first.epoch, offset: 2 }]);

  const redis = withInfo(world.redis, info);
  const log = createCompanyLog(redis, { keys });
  const { head, entries, missing } = await log.after(companyId, first, 10);
  expect([head, entries.map(({ offset }) => offset), missing]).toEqual([
    { epoch: first.epoch, offset: 2 },
    [2],
    undefined,
  ]);
  const pause = () => Promise.resolve();
  const takeSnapshots = createTakeSnapshots({ redis, keys, readSnapshots: world.readSnapshots, pause });
  const taken = await takeSnapshots(companyId, [appointmentId]);
  expect(taken.get(appointmentId)).toMatchObject({ epoch: first.epoch, offset: 2, read: 1 });
});

test('a server that hides its replication id begins a new epoch if its run id changes', async () => {
  const info = { replication: 'role:master', server: 'run_id:a1' };
  world = createEmissionWorld((redis) => withInfo(redis, info));
  const appointmentId = world.appointment();
  const before = await world.emit(appointmentId);
  info.server = 'run_id:a2';
  const after = await world.emit(appointmentId);
  expect(after.offset).toBe(1);
  expect(after.epoch).not.toBe(before.epoch);
});

/** A Redis that gives these replies to the INFO calls of scripts. */
function withInfo(redis: Redis, info: { replication: string; server: string }): RedisClient {
  const answered = (source: string): string =>
    source.replace(
      /redis\.call\('INFO', '(replication|server)'\)/g,
      (_, section: keyof typeof info) => `'${info[section]}'`,
    );
  return {
    evalsha: () => Promise.reject(new Error('NOSCRIPT the source is sent instead')),
    eval: (source: string, count: number, ...rest: (string | number | Buffer)[]) =>
      redis.eval(answered(source), count, ...rest),
  } as unknown as RedisClient;
}
