import { afterEach, expect, jest, test } from '@jest/globals';
import { type Accepted, createAcceptEmissions } from '../../src/accept/accept-emission.ts';
import { createBulkPacer } from '../../src/process/bulk-pacer.ts';
import { eventually } from '../harness/until.ts';

const COMPANY = 'c'.repeat(24);
const idOf = (n: number): string => n.toString(16).padStart(24, '0');
const requestFor = (n: number) => ({ event: 'appointment:updated' as const, appointmentId: idOf(n) });
const BY = { seed: undefined, isRepeat: false, progress: undefined };
const MISSING = idOf(7);

afterEach(() => {
  jest.restoreAllMocks();
});

/** Milliseconds that each slice takes, by the pacer's clock. */
const SLICE_MS = 10;

/** A queue whose adds succeed or fail when the test decides. */
function slowQueue(isOverShare = () => false) {
  const adds: { emissions: readonly Accepted[]; succeed: () => void; fail: (error: Error) => void }[] = [];
  const accepted: number[] = [];
  const checks: number[] = [];
  const rests: number[] = [];
  let now = 0;
  const accept = createAcceptEmissions({
    findCompanies: (ids) => {
      checks.push(ids.length);
      return Promise.resolve(ids.map((id) => (id === MISSING ? undefined : COMPANY)));
    },
    enqueue: (emissions) => {
      now += SLICE_MS;
      return new Promise((resolve, fail) => {
        const succeed = () => {
          resolve(emissions.map(() => 'live' as const));
        };
        adds.push({ emissions, succeed, fail });
      });
    },
    priority: { live: 0, batch: 1 },
    isFull: () => false,
    isOverShare,
    isNearLimit: isOverShare,
    pacer: createBulkPacer({ now: () => now, pause: (ms) => Promise.resolve(rests.push(ms)) }),
    onAccepted: (emissions) => accepted.push(emissions.length),
  });
  return { accept, adds, accepted, checks, rests };
}
const turns = async (count = 20): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('a large batch is enqueued in slices: it waits while a live booking is in progress, and rests between slices', async () => {
  // A batch waits for a limited time, and a busy machine would use that up.
  jest.spyOn(performance, 'now').mockReturnValue(0);
  const { accept, adds, accepted, checks, rests } = slowQueue();
  const batch = accept.many(
    Array.from({ length: 1_000 }, (_, n) => requestFor(n)),
    BY,
  );
  await turns(100);
  expect(Math.max(...checks)).toBeLessThanOrEqual(500);
  expect(checks).toHaveLength(2);
  expect(adds).toHaveLength(1);
  const live = accept.one(requestFor(2_000), BY);
  await turns();
  expect(adds.map(({ emissions }) => emissions.length)).toEqual([50, 1]);
  adds[0]!.succeed();
  await turns();
  expect(adds).toHaveLength(2);
  adds[1]!.succeed();
  expect(await live).toBe(adds[1]!.emissions[0]!.emissionId);
  await turns();
  expect(adds.map(({ emissions }) => emissions.length)).toEqual([50, 1, 50]);

  for (let next = 2; next <= 20; next += 1) {
    adds[next]!.succeed();
    await turns();
  }
  const ids = await batch;
  expect(accepted).toEqual([1, ...Array.from({ length: 19 }, () => 50), 49]);
  expect(rests).toHaveLength(19);
  const emitted = adds
    .flatMap(({ emissions }) => emissions)
    .filter(({ appointmentId }) => appointmentId !== idOf(2_000));
  expect(ids.filter((id) => id !== undefined)).toEqual(emitted.map(({ emissionId }) => emissionId));
  expect(ids.flatMap((id, n) => (id === undefined ? n : []))).toEqual([7]);
});

test('a batch continues although a live booking takes long', async () => {
  const { accept, adds } = slowQueue();
  const batch = accept.many(
    Array.from({ length: 60 }, (_, n) => requestFor(100 + n)),
    BY,
  );
  await turns();
  const live = accept.one(requestFor(2_000), BY);
  await turns();
  adds[0]!.succeed();
  await eventually('the batch to go on beside the live booking', () => adds.length === 3);
  adds[2]!.succeed();
  expect(await batch).toHaveLength(60);
  adds[1]!.succeed();
  await live;
});

test('emissions that exceed the share of their company are enqueued in groups of ten, with rests beside live ones', async () => {
  let isOver = true;
  const { accept, adds, rests } = slowQueue(() => isOver);
  const flood = Array.from({ length: 25 }, (_, n) => accept.one(requestFor(100 + n), BY));
  for (let group = 0; group < 3; group += 1) {
    await turns();
    adds[group]!.succeed();
  }
  expect(await Promise.all(flood)).toEqual(
    adds.flatMap(({ emissions }) => emissions.map(({ emissionId }) => emissionId)),
  );
  expect(adds.map(({ emissions }) => emissions.length)).toEqual([10, 10, 5]);
  expect(rests).toEqual([]);

  isOver = false;
  const within = accept.one(requestFor(3), BY);
  await turns();
  adds[3]!.succeed();
  await within;
  isOver = true;
  const over = accept.one(requestFor(4), BY);
  await turns();
  adds[4]!.succeed();
  await over;
  expect(rests).toHaveLength(1);
});

test('if the queue does not answer a group, the groups behind it are refused within two seconds, and never enqueued', async () => {
  const { accept, adds } = slowQueue(() => true);
  const startedAt = performance.now();
  const flood = await Promise.allSettled(
    Array.from({ length: 30 }, (_, n) => accept.one(requestFor(100 + n), BY)),
  );
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  const reasons = flood.map((result) => (result.status === 'rejected' ? String(result.reason) : ''));
  expect(reasons.filter((reason) => reason.includes('the queue does not answer'))).toHaveLength(30);
  adds[0]!.succeed();
  await turns();
  expect(adds).toHaveLength(1);
});

test('1,000 emissions that exceed a share are enqueued in groups of a tenth of those that wait', async () => {
  const { accept, adds } = slowQueue(() => true);
  const flood = Array.from({ length: 1_000 }, (_, n) => accept.one(requestFor(100 + n), BY));
  const all = Promise.all(flood);
  let groups = 0;
  while (adds.flatMap(({ emissions }) => emissions).length < 1_000) {
    await turns();
    adds[groups++]!.succeed();
  }
  await all;
  expect(adds[0]!.emissions).toHaveLength(100);
  expect(groups).toBeLessThan(40);
});

test('if the queue fails in the middle of a batch, the rest is not enqueued and the caller gets the error', async () => {
  const { accept, adds, accepted } = slowQueue();
  const batch = accept.many(
    Array.from({ length: 200 }, (_, n) => requestFor(100 + n)),
    BY,
  );
  const failed = expect(batch).rejects.toThrow('gone');
  await turns();
  adds[0]!.succeed();
  await turns();
  adds[1]!.fail(new Error('gone'));
  await failed;
  expect(adds).toHaveLength(2);
  expect(accepted).toEqual([]);
});

test('a batch does not pause if there was no recent live booking', async () => {
  const { accept, adds, rests } = slowQueue();
  const batch = accept.many(
    Array.from({ length: 200 }, (_, n) => requestFor(100 + n)),
    BY,
  );
  for (let next = 0; next < 4; next += 1) {
    await turns();
    adds[next]!.succeed();
  }
  await batch;
  expect(adds.map(({ emissions }) => emissions.length)).toEqual([50, 50, 50, 50]);
  expect(rests).toEqual([]);
});
