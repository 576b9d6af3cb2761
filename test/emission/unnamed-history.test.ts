import { afterEach, expect, test } from '@jest/globals';
import { createCompanyLog } from '../../src/emission/company-log.ts';
import { createTakeSnapshots } from '../../src/emission/take-snapshots.ts';
import { INCOMPLETE_INFO, withInfo } from '../harness/redis-without-ids.ts';
import { createEmissionWorld } from './emission-world.ts';

let world: ReturnType<typeof createEmissionWorld>;
afterEach(() => {
  world.close();
});

test.each(INCOMPLETE_INFO)('a server whose INFO lacks %s keeps one epoch', async (_, info) => {
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
