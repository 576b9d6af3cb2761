import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import type { RedisClient } from '../../src/redis/connect.ts';
import type { Id } from '@appointment-emissions/contracts';
import { createCompanyLog } from '../../src/emission/company-log.ts';
import { createEmitAppointment } from '../../src/emission/emit-appointment.ts';
import { createEncodeMessage } from '../../src/emission/encode.ts';
import { createCompanyKeys } from '../../src/emission/keys.ts';
import { createPublish } from '../../src/emission/publish.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createPackReferences } from '../../src/model/reference-guesses.ts';
import { createReadSnapshots } from '../../src/emission/read-snapshots.ts';
import { appointment } from '../dashboard/appointment-fixture.ts';
import { ownRedis } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';

/** Two servers that replicate one another in turn. Writes to a replaced master are lost. */
let services: ServiceHandle[];
let [a, b]: Redis[] = [];
beforeAll(async () => {
  const extraArgs = ['--repl-diskless-sync-delay', '0'];
  services = await Promise.all([ownRedis({ extraArgs }), ownRedis({ extraArgs })]);
  [a, b] = services.map(({ url }) => new Redis(url, { replyMapping: 'legacy' }));
});
afterAll(async () => {
  a?.disconnect();
  b?.disconnect();
  await Promise.all(services.map((service) => service.stop()));
});

const follow = async (replica: Redis, master: ServiceHandle) => {
  await replica.replicaof('127.0.0.1', master.port);
  await eventually('the replica to be in step', async () =>
    (await replica.info('replication')).includes('master_link_status:up'),
  );
};
const promote = (replica: Redis) => replica.replicaof('NO', 'ONE');
const keys = createCompanyKeys('{failover}');
const newId = () => randomBytes(12).toString('hex');

/** A worker's pipeline for one appointment; its notes are the state that was read. */
function createWorker(redis: RedisClient, companyId: Id, read: () => Promise<string>) {
  const load = async (ids: readonly Id[]) => {
    const notes = await read();
    return new Map(ids.map((_id) => [_id, appointment({ _id, companyId, notes })]));
  };
  const emit = createEmitAppointment({
    readSnapshots: createReadSnapshots({ redis, keys, load }),
    encode: createEncodeMessage('failover'),
    publish: createPublish(redis, { keys, logMax: 100 }),
    packReferences: createPackReferences(DEFAULT_MODEL),
    isUnavailable: () => false,
    pause: () => Promise.resolve(),
  });
  return (appointmentId: Id) =>
    emit({
      event: 'appointment:updated',
      appointmentId,
      companyId,
      emissionId: newId(),
      acceptedAt: new Date().toISOString(),
      attempt: 1,
      isRepeated: () => false,
      isLive: true,
    });
}

test('offsets that were lost in a failover are never confused with new ones, not even after a failback', async () => {
  const [companyId, appointmentId] = [newId(), newId()];
  const emit = createWorker(a!, companyId, () => Promise.resolve('any'));
  await follow(b!, services[0]!);
  for (let n = 0; n < 3; n += 1) await emit(appointmentId);
  await a!.wait(1, 5_000);
  await promote(b!);
  const lost = [await emit(appointmentId), await emit(appointmentId)];
  expect(lost.map(({ offset }) => offset)).toEqual([4, 5]);

  // While the other server is the master, no script reads this company's position there.
  await follow(a!, services[1]!);
  await promote(a!);
  const { head, missing } = await createCompanyLog(a!, { keys }).after(companyId, lost[1]!, 100);
  expect(missing).toBe('epoch');
  expect(head.epoch).not.toBe(lost[1]!.epoch);
  expect((await emit(appointmentId)).offset).toBe(1);
});

test('a snapshot that was read before a failover is read again, although its order token is back', async () => {
  const [companyId, appointmentId] = [newId(), newId()];
  let state = 'first';
  await follow(b!, services[0]!);
  await createWorker(a!, companyId, () => Promise.resolve(state))(appointmentId);
  await a!.wait(1, 5_000);

  // A worker freezes after it has claimed and read.
  const connection = { redis: a! };
  let [isFrozen, thaw]: [boolean, () => void] = [false, () => undefined];
  const frozen = createWorker(throughSwitch(connection), companyId, async () => {
    const read = state;
    if (!isFrozen) {
      isFrozen = true;
      await new Promise<void>((resolve) => (thaw = resolve));
    }
    return read;
  })(appointmentId);
  await eventually('the read', () => isFrozen);

  // A later state is published; the replica does not receive it, and is promoted.
  await promote(b!);
  state = 'second';
  await createWorker(a!, companyId, () => Promise.resolve(state))(appointmentId);
  const published: string[] = [];
  const listener = b!.duplicate();
  listener.on('pmessageBuffer', (_pattern: Buffer, _channel: Buffer, message: Buffer) => {
    published.push(message.includes('second') ? 'second' : 'first');
  });
  await listener.psubscribe('failover#*');
  connection.redis = b!;
  thaw();
  await frozen;
  await eventually('its publication', () => published.length > 0);
  listener.disconnect();
  expect(published).toEqual(['second']);
});

/** A client whose server can be exchanged, as behind a proxy. */
function throughSwitch(connection: { redis: Redis }): RedisClient {
  const { evalsha, eval: run } = {
    evalsha: (...args: Parameters<Redis['evalsha']>) => connection.redis.evalsha(...args),
    eval: (...args: Parameters<Redis['eval']>) => connection.redis.eval(...args),
  };
  return { evalsha, eval: run } as unknown as RedisClient;
}
