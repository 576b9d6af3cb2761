import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { mongo } from 'mongoose';
import { createReadEarly } from '../../src/emission/emit-appointment.ts';
import { createEmissionWorld } from './emission-world.ts';

let world: ReturnType<typeof createEmissionWorld>;
beforeEach(() => {
  world = createEmissionWorld();
});
afterEach(() => {
  world.close();
});

const settled = async (promises: Promise<unknown>[]) =>
  (await Promise.allSettled(promises)).map((result) =>
    result.status === 'fulfilled' ? 'published' : (result.reason as Error).message,
  );

test('offsets are consecutive within a company, across batches', async () => {
  const ids = Array.from({ length: 250 }, () => world.appointment());
  const receipts = await Promise.all(ids.map((id) => world.emit(id)));
  expect(receipts.map(({ offset }) => offset).sort((a, b) => a - b)).toEqual(
    ids.map((_, index) => index + 1),
  );
  expect(new Set(receipts.map(({ epoch }) => epoch)).size).toBe(1);
  expect(world.loads.length).toBeLessThan(10);
});

test('one unreadable document fails alone; the others of its batch are published once', async () => {
  const bad = world.appointment();
  const good = Array.from({ length: 20 }, () => world.appointment());
  world.onLoad((ids) => {
    if (ids.includes(bad)) throw new mongo.MongoServerError({ message: 'bad document', code: 2 });
  });
  const [first, ...others] = await settled([world.emit(bad), ...good.map((id) => world.emit(id))]);
  expect(first).toBe('bad document');
  expect(others).toEqual(good.map(() => 'published'));
  expect(await world.log()).toHaveLength(20);
});

test('if a server is unavailable, the batch is not tried again in halves', async () => {
  world.onLoad(() => {
    throw new mongo.MongoNetworkError('connection refused');
  });
  const ids = Array.from({ length: 20 }, () => world.appointment());
  expect(new Set(await settled(ids.map((id) => world.emit(id))))).toEqual(new Set(['connection refused']));
  expect(world.loads.length).toBeLessThanOrEqual(2);
});

test('a company whose keys cannot be used fails alone; the others of its batch are published', async () => {
  const [away, user] = ['a'.repeat(24), randomBytes(8).toString('hex')];
  const { host = '', port = 0 } = world.redis.options;
  const scripts = new Redis({ host, port, username: user, lazyConnect: true, replyMapping: 'legacy' });
  const limited = createEmissionWorld(() => scripts);
  const ownKeys = `${limited.keys.position(limited.companyId).split('}')[0]!}*`;
  try {
    await limited.redis.acl('SETUSER', user, 'on', 'nopass', 'allchannels', '+@all', `~${ownKeys}`);
    const [first, lost, ...others] = Array.from({ length: 7 }, () => limited.appointment());
    const emissions = [limited.emit(first!), limited.emit(lost!, { companyId: away })];
    const ended = await settled([...emissions, ...others.map((id) => limited.emit(id))]);
    expect(ended[1]).toMatch(/permission/i);
    expect(ended.filter((one) => one === 'published')).toHaveLength(6);
    expect(limited.loads).toEqual([[first], others]);
  } finally {
    await limited.redis.acl('DELUSER', user);
    scripts.disconnect();
    limited.close();
  }
});

test('a foreign and a too large appointment fail alone', async () => {
  const [foreign, large, fine] = [
    world.appointment({ companyId: 'a'.repeat(24) }),
    world.appointment({ notes: 'x'.repeat(300_000) }),
    world.appointment(),
  ];
  const ended = await settled([foreign, large, fine].map((id) => world.emit(id)));
  expect(ended).toEqual([
    `appointment ${foreign} belongs to another company than the emission was accepted for`,
    `the message for appointment ${large} has more than 262144 bytes: shorten its notes`,
    'published',
  ]);
});

test('jobs for one appointment in one batch share its read, and all are published', async () => {
  const blocker = [world.appointment(), world.appointment()];
  const id = world.appointment();
  // While two batches are in flight, later requests are collected for one batch.
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  world.onLoad((ids) => (ids.some((one) => blocker.includes(one)) ? gate : undefined));
  const first = world.emit(blocker[0]!);
  await new Promise((resolve) => setImmediate(resolve));
  const second = world.emit(blocker[1]!);
  await new Promise((resolve) => setImmediate(resolve));
  const shared = [world.emit(id), world.emit(id), world.emit(id)];
  letGo();
  await Promise.all([first, second, ...shared]);
  expect(world.loads.filter((ids) => ids.includes(id))).toEqual([[id]]);
  expect(await world.log()).toHaveLength(5);
});

test('a live emission does not wait for a bulk batch, is read separately, and makes bulk batches small and rest', async () => {
  const bulk = Array.from({ length: 50 }, () => world.appointment());
  const live = world.appointment();
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  world.onLoad((ids) => (ids.some((one) => bulk.includes(one)) ? gate : undefined));
  const others = bulk.map((id) => world.emit(id, { isLive: false }));
  await new Promise((resolve) => setImmediate(resolve));
  const receipt = await world.emit(live);
  expect(receipt.offset).toBe(1);
  expect(world.loads).toContainEqual([live]);
  letGo();
  await Promise.all(others);
  const batches = world.loads.filter((ids) => !ids.includes(live)).map((ids) => ids.length);
  expect(batches).toEqual([20, 10, 10, 10]);
  expect(world.pauses).toHaveLength(3);
});

test('if a later read has taken the order token, the appointment is read again, with a pause after five lost rounds', async () => {
  const id = world.appointment();
  let others = 7;
  world.onLoad(async () => {
    // Another process confirms between this read and its confirmation.
    if (others > 0) await world.redis.hset(world.keys.order(world.companyId, id), 'token', `other-${others}`);
    others -= 1;
  });
  const receipt = await world.emit(id);
  expect(receipt.offset).toBe(1);
  expect(world.loads).toHaveLength(8);
  expect(world.pauses).toHaveLength(1);
  expect(world.pauses[0]).toBeGreaterThanOrEqual(50);
  expect(world.pauses[0]).toBeLessThanOrEqual(250);
});

test('a repeated emission that is in the log is not published again, the others of its batch are', async () => {
  const [id, other, gone] = [world.appointment(), world.appointment(), 'f'.repeat(24)];
  const repeated = { emissionId: 'e1', attempt: 2, isRepeated: () => true };
  const deletion = { ...repeated, emissionId: 'e2' };
  const first = await world.emit(id, { emissionId: 'e1' });
  await world.emit(gone, { emissionId: 'e2' });
  world.appointments.delete(id);
  const again = await Promise.all([world.emit(id, repeated), world.emit(other), world.emit(gone, deletion)]);
  expect(again.map(({ epoch, offset }) => [epoch, offset])).toEqual([
    [first.epoch, 1],
    [first.epoch, 3],
    [first.epoch, 2],
  ]);
  // Of what was published, not of what this run has read.
  expect(again.map(({ event }) => event)).toEqual([
    'appointment:updated',
    'appointment:updated',
    'appointment:deleted',
  ]);
  // How many gateways received it is known only to the run that published it.
  expect(again.map(({ gateways }) => gateways)).toEqual([null, 0, null]);
  expect(await world.log()).toHaveLength(3);
});

test.each([
  ['it was never published', () => undefined, 2],
  ['its epoch is over', () => world.redis.del(world.keys.position(world.companyId)), 1],
  ['another program wrote it behind the head', () => write('9-0'), 1],
  ['another program wrote an entry with an odd id', () => write('1-7'), 2],
  ['its PUBLISH was refused', () => world.redis.hset(world.keys.position(world.companyId), 'sent', 0), 2],
  ['2,000 emissions were published since', () => write('2-0', 2_001), 2_002],
])('a repeated emission is published if %s', async (reason, prepare, offset) => {
  const id = world.appointment();
  await world.emit(id, { emissionId: reason.includes('never') || reason.includes('program') ? 'e0' : 'e1' });
  await prepare();
  expect(await world.emit(id, { emissionId: 'e1', attempt: 2, isRepeated: () => true })).toMatchObject({
    offset,
    gateways: 0,
  });
});

/** Adds entries to the log: one with the emission's id, or as many others with consecutive offsets. */
async function write(first: string, last?: number): Promise<void> {
  const [log, fields] = [world.keys.log(world.companyId), ['event', 'x', 'appointmentId', 'y', 'emissionId']];
  const adding = world.redis.pipeline();
  if (last === undefined) adding.xadd(log, first, ...fields, 'e1');
  else for (let offset = 2; offset <= last; offset += 1) adding.xadd(log, `${offset}-0`, ...fields, 'other');
  if (last !== undefined) adding.hset(world.keys.position(world.companyId), 'offset', last);
  await adding.exec();
}

test.each(['reads', 'waits for a batch'])(
  'a worker that is frozen while it %s does not publish what another one emits meanwhile',
  async (when) => {
    const id = world.appointment();
    let wasFrozen = false;
    const emit = () => world.emit(id, { emissionId: 'e1', isLive: false, isRepeated: () => wasFrozen });
    let own: ReturnType<typeof emit> | undefined;
    world.onLoad(async () => {
      world.onLoad(() => undefined);
      own ??= emit();
      await world.emit(id, { emissionId: 'e1' });
      wasFrozen = true;
    });
    if (when === 'reads') own = emit();
    else await world.emit(world.appointment(), { isLive: false });
    expect(await own).toMatchObject({ offset: 1, gateways: null });
    expect((await world.log()).filter(([, fields]) => fields.includes('e1'))).toHaveLength(1);
  },
);

test('an early read is published without another one, unless a later read was confirmed, or the early one failed', async () => {
  const readEarly = createReadEarly({ readSnapshots: world.readSnapshots });
  const appointmentId = world.appointment({ notes: 'early' });
  const request = { companyId: world.companyId, appointmentId };
  const early = readEarly(request);
  expect(await world.emit(appointmentId, {}, early)).toMatchObject({ offset: 1 });
  expect(world.loads).toHaveLength(1);

  const overtaken = readEarly(request);
  await overtaken;
  await world.emit(appointmentId);
  expect(world.loads).toHaveLength(3);
  expect(await world.emit(appointmentId, {}, overtaken)).toMatchObject({ offset: 3 });
  expect(world.loads).toHaveLength(4);

  world.onLoad(() => {
    world.onLoad(() => undefined);
    throw new mongo.MongoServerError({ message: 'bad document', code: 2 });
  });
  expect(await world.emit(appointmentId, {}, readEarly(request))).toMatchObject({ offset: 4 });
});

test('claims of two companies for one appointment id are independent', async () => {
  const id = world.appointment();
  const [own, foreign] = await Promise.allSettled([
    world.emit(id, { isLive: false }),
    world.emit(id, { companyId: 'b'.repeat(24), isLive: false }),
  ]);
  expect(own).toMatchObject({ status: 'fulfilled', value: { offset: 1 } });
  expect(foreign).toMatchObject({ status: 'rejected', reason: { code: 'COMPANY_MISMATCH' } });
  expect(world.loads).toHaveLength(1);
});

test('an emission of an appointment that does not exist is a deletion: ids only, with the next offset, in the log', async () => {
  const [kept, gone] = [world.appointment({ notes: 'first visit' }), world.appointment({ notes: 'secret' })];
  await world.emit(gone);
  world.appointments.delete(gone);
  const receipts = [
    await world.emit(gone),
    await world.emit(kept),
    await world.emit(gone, { event: 'appointment:deleted' }),
  ];
  expect(receipts.map(({ event, offset }) => [event, offset])).toEqual([
    ['appointment:deleted', 2],
    ['appointment:updated', 3],
    ['appointment:deleted', 4],
  ]);
  const log = await world.log();
  expect(log.map(([, fields]) => fields.slice(1, 4))).toEqual([
    ['appointment:updated', 'appointmentId', gone],
    ['appointment:deleted', 'appointmentId', gone],
    ['appointment:updated', 'appointmentId', kept],
    ['appointment:deleted', 'appointmentId', gone],
  ]);
  expect(await world.redis.hgetall(world.keys.order(world.companyId, gone))).toEqual({
    digest: '',
    token: expect.any(String),
    updatedAt: 'deleted',
    status: '',
    references: '',
  });
});

test('a deletion of an appointment that exists when it is read is an update', async () => {
  const id = world.appointment();
  expect(await world.emit(id, { event: 'appointment:deleted' })).toMatchObject({
    event: 'appointment:updated',
    offset: 1,
  });
});

test('a read that found an appointment is not published after its deletion', async () => {
  const id = world.appointment();
  let isFirst = true;
  world.onLoad(async () => {
    if (!isFirst) return;
    isFirst = false;
    // This read found the appointment. It is deleted before the confirmation, and the deletion is published by a later read.
    world.appointments.delete(id);
    await world.emit(id, { event: 'appointment:deleted', isLive: false });
  });
  const receipt = await world.emit(id);
  expect(receipt).toMatchObject({ event: 'appointment:deleted', offset: 2 });
  expect((await world.log()).map(([, fields]) => fields[1])).toEqual([
    'appointment:deleted',
    'appointment:deleted',
  ]);
});

test('a deletion for another company than the appointment’s own fails, and nothing is logged', async () => {
  const foreign = world.appointment({ companyId: 'a'.repeat(24) });
  await expect(world.emit(foreign, { event: 'appointment:deleted' })).rejects.toMatchObject({
    code: 'COMPANY_MISMATCH',
  });
  expect(await world.log()).toEqual([]);
});
