import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mongo } from 'mongoose';
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

test('a missing, a foreign and a too large appointment fail alone', async () => {
  const [gone, foreign, large, fine] = [
    'f'.repeat(24),
    world.appointment({ companyId: 'a'.repeat(24) }),
    world.appointment({ notes: 'x'.repeat(300_000) }),
    world.appointment(),
  ];
  const ended = await settled([gone, foreign, large, fine].map((id) => world.emit(id)));
  expect(ended).toEqual([
    `appointment ${gone} does not exist`,
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

test('a live emission does not wait for a bulk batch, is read separately, and makes bulk emissions run singly', async () => {
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
  const [alone, ...besideLive] = world.loads.filter((ids) => !ids.includes(live)).map((ids) => ids.length);
  expect(alone).toBe(10);
  expect(besideLive).toEqual(Array.from({ length: 40 }, () => 1));
  expect(world.pauses).toEqual(besideLive.map(() => 3));
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
