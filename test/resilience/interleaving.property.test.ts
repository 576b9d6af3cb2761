import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { runSchedule, type ScheduleOptions } from './model/run-schedule.ts';

/** `INTERLEAVING_SECONDS=600 npm test -- interleaving` runs for longer; INTERLEAVING_SEED repeats its schedules. */
const SEED = Number(process.env['INTERLEAVING_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const SECONDS = Number(process.env['INTERLEAVING_SECONDS'] ?? 8);
const schedule = fc.array(fc.nat(9_999), { minLength: 40, maxLength: 120, size: 'max' });

let redis: Redis;
let subscriber: Redis;
beforeAll(() => {
  redis = new Redis(process.env['TEST_REDIS_URL']!, { replyMapping: 'legacy' });
  subscriber = redis.duplicate();
});
afterAll(() => {
  redis.disconnect();
  subscriber.disconnect();
});

test(
  'lists, replays and live events in any order, with any loss of data: a dashboard never goes back, and finally shows the last state',
  async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(schedule, async (choices) => {
        runs += 1;
        await runSchedule(redis, subscriber, choices);
      }),
      { seed: SEED, numRuns: SECONDS * 100, interruptAfterTimeLimit: SECONDS * 1_000, endOnFailure: true },
    );
    expect(runs).toBeGreaterThan(10);
    if (SECONDS > 60) console.log(`${runs} schedules of seed ${SEED}`);
  },
  SECONDS * 1_000 + 60_000,
);

// failed-over-redis.test.ts tests a failover that restores claims from before it.
describe('negative controls: the same schedules detect a missing safeguard', () => {
  test.each<[string, ScheduleOptions, RegExp]>([
    ['without the comparison of snapshots', { isNewer: () => true }, /went back/],
    ['without the replay', { replaysNothing: true }, /shows/],
  ])('%s', async (_, weakness, fault) => {
    let found: unknown;
    for (const choices of fc.sample(schedule, { numRuns: 2_000, seed: 7 })) {
      found = await runSchedule(redis, subscriber, choices, weakness).catch(String);
      if (found !== undefined) break;
    }
    expect(found).toMatch(fault);
  });
});
