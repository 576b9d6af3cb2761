import { expect, test } from '@jest/globals';
import { createCompanyShare } from '../../src/queue/company-share.ts';
import { MAX_TURN, PRIORITY } from '../../src/queue/retry-policy.ts';

const [FLOOD, OTHER, THIRD] = ['f'.repeat(24), 'a'.repeat(24), 'b'.repeat(24)] as const;
/** A company of another shard. */
const ELSEWHERE = 'e'.repeat(24);

/** A share of ten live emissions a second, with a clock and a bulk queue that the test moves. */
function createTestShare() {
  let now = 1_000;
  let next: number | undefined;
  let isRedisUp = true;
  let over = 0;
  const [queue, otherQueue] = [{ toKey: () => 'one' }, { toKey: () => 'other' }];
  const share = createCompanyShare({
    maxLivePerSecond: 10,
    bulkQueueOf: (companyId) => (companyId === ELSEWHERE ? otherQueue : queue),
    readNextPriority: (asked) =>
      isRedisUp ? Promise.resolve(asked === queue ? next : undefined) : Promise.reject(new Error('down')),
    onOver: () => (over += 1),
    now: () => now,
  });
  const place = (companyId: string, priority: number, count: number): number[] =>
    Array.from({ length: count }, () => share.priorityFor(companyId, priority));
  return {
    share,
    over: () => over,
    place,
    live: (companyId: string, count: number) =>
      place(companyId, PRIORITY.live, count).filter((priority) => priority === PRIORITY.live).length,
    pass: (ms: number) => (now += ms),
    /** Lets the share see the queue: its first waiting priority. */
    see: async (priority: number | undefined): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      next = priority;
      now += 1_000;
      share.priorityFor(THIRD, PRIORITY.batch);
      await new Promise((resolve) => setImmediate(resolve));
    },
    setRedis: (isUp: boolean) => (isRedisUp = isUp),
  };
}

test('a flood gets half a second of the rate in the live queue at once, then the rate', () => {
  const { live, pass, over, share } = createTestShare();
  expect(live(FLOOD, 20_000)).toBe(5);
  expect(over()).toBe(19_995);
  let inLive = 0;
  for (let step = 0; step < 100; step += 1) {
    pass(100);
    inLive += live(FLOOD, 50);
  }
  expect(inLive).toBe(100);
  expect(share.isOver(FLOOD)).toBe(true);
  expect(share.isOver(OTHER)).toBe(false);
  expect(live(OTHER, 5)).toBe(5);
});

test('a company is near its limit while more than half of its burst is used up', () => {
  const { live, pass, share } = createTestShare();
  live(FLOOD, 2);
  expect(share.isNearLimit(FLOOD)).toBe(false);
  live(FLOOD, 1);
  expect([share.isNearLimit(FLOOD), share.isNearLimit(OTHER)]).toEqual([true, false]);
  pass(100);
  expect(share.isNearLimit(FLOOD)).toBe(false);
  live(FLOOD, 1_000);
  pass(250);
  expect(share.isNearLimit(FLOOD)).toBe(false);
});

test('a company within its rate is never moved to the bulk queue, and after a flood it is back at once', () => {
  const { live, pass, over } = createTestShare();
  for (let step = 0; step < 1_000; step += 1) {
    expect(live(OTHER, 1)).toBe(1);
    pass(100);
  }
  expect(over()).toBe(0);
  live(FLOOD, 10_000);
  pass(500);
  expect(live(FLOOD, 5)).toBe(5);
});

test('in the bulk queue companies take turns, and each class keeps its place', async () => {
  const { place, see } = createTestShare();
  expect(place(FLOOD, PRIORITY.batch, 3)).toEqual([1, 2, 3]);
  expect(place(OTHER, PRIORITY.batch, 2)).toEqual([1, 2]);
  expect(place(FLOOD, PRIORITY.sweep, 2)).toEqual([PRIORITY.sweep, PRIORITY.sweep + 1]);
  place(FLOOD, PRIORITY.batch, 10_000);
  await see(5_000);
  expect(place(OTHER, PRIORITY.batch, 2)).toEqual([5_000, 5_001]);
  expect(place(FLOOD, PRIORITY.batch, 1)).toEqual([10_004]);
  await see(undefined);
  expect(place(FLOOD, PRIORITY.batch, 1)).toEqual([1]);
});

test('companies of another shard take turns of their own', async () => {
  const { place, see } = createTestShare();
  place(FLOOD, PRIORITY.batch, 10_000);
  await see(5_000);
  expect(place(OTHER, PRIORITY.batch, 1)).toEqual([5_000]);
  expect(place(ELSEWHERE, PRIORITY.batch, 2)).toEqual([1, 2]);
});

test('turns never reach the next class', () => {
  const { place } = createTestShare();
  const classes = [PRIORITY.batch, PRIORITY.capture, PRIORITY.repair, PRIORITY.sweep];
  for (const [index, priority] of classes.entries()) {
    const last = place(FLOOD, priority, 600_000).at(-1)!;
    expect(last).toBe(priority + MAX_TURN);
    expect(last).toBeLessThan(classes[index + 1] ?? 2 ** 21);
  }
});

test('while Redis is unavailable, companies keep their turns', async () => {
  const { place, see, setRedis } = createTestShare();
  place(FLOOD, PRIORITY.batch, 100);
  await see(50);
  setRedis(false);
  await see(undefined);
  expect(place(FLOOD, PRIORITY.batch, 1)).toEqual([101]);
});

test('the companies over their share are listed for one to two minutes, the largest first, at most ten', () => {
  const { live, pass, share } = createTestShare();
  for (let company = 0; company < 12; company += 1) live(company.toString(16).repeat(24), 10 + company);
  const listed = share.mostOver();
  expect(listed).toHaveLength(10);
  expect(listed[0]).toEqual({ companyId: 'b'.repeat(24), emissions: 16 });
  pass(60_000);
  live(FLOOD, 6);
  expect(share.mostOver()).toContainEqual({ companyId: 'b'.repeat(24), emissions: 16 });
  pass(60_000);
  expect(share.mostOver()).toEqual([{ companyId: FLOOD, emissions: 1 }]);
  pass(120_000);
  expect(share.mostOver()).toEqual([]);
});

test('a clock that stands still or goes back moves emissions to the bulk queue, and loses none', () => {
  const { live, pass } = createTestShare();
  expect(live(FLOOD, 100)).toBe(5);
  expect(live(FLOOD, 100)).toBe(0);
  pass(-500);
  expect(live(FLOOD, 100)).toBe(0);
  pass(1_000);
  expect(live(FLOOD, 100)).toBe(5);
});
