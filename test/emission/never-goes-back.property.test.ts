import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createScheduler, type Move, type Weakness } from './schedule.ts';

let scheduler: ReturnType<typeof createScheduler>;
beforeAll(() => {
  scheduler = createScheduler(process.env['TEST_REDIS_URL']!);
});
afterAll(() => {
  scheduler.close();
});

const n = fc.nat({ max: 11 });
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ move: fc.constant('write' as const), appointment: n }) },
  { weight: 1, arbitrary: fc.record({ move: fc.constant('delete' as const), appointment: n }) },
  { weight: 5, arbitrary: fc.record({ move: fc.constant('begin' as const), process: n }) },
  { weight: 2, arbitrary: fc.record({ move: fc.constant('begin-again' as const), job: n, process: n }) },
  { weight: 3, arbitrary: fc.constant({ move: 'list' as const }) },
  { weight: 14, arbitrary: fc.record({ move: fc.constant('go-on' as const), stop: n }) },
  {
    weight: 2,
    arbitrary: fc.record({
      move: fc.constant('go-on' as const),
      stop: n,
      fault: fc.constantFrom('read-fails' as const, 'reply-lost' as const),
    }),
  },
  { weight: 6, arbitrary: fc.constant({ move: 'deliver' as const }) },
  { weight: 1, arbitrary: fc.record({ move: fc.constant('forget' as const), appointment: n }) },
);
const schedule = fc.array(move, { minLength: 12, maxLength: 60, size: 'max' });

test('in any order of writes, deletions, emissions, retries, lists and freezes no screen goes back, and each ends at the last state', async () => {
  // On a failure fast-check prints the seed and the shortest schedule that it found.
  await fc.assert(
    fc.asyncProperty(schedule, async (moves) => {
      expect(await scheduler.run(moves)).toEqual({ wentBack: 0, notLast: 0 });
    }),
    // Fewer runs on a busy machine.
    { numRuns: 400, interruptAfterTimeLimit: 10_000 },
  );
});

describe('negative controls: with a safeguard removed the same schedules make a screen go back', () => {
  test.each<[string, Weakness]>([
    [
      'without the token check for published snapshots',
      {
        script: {
          name: 'publish',
          from: 'passes[i] = token and (token == ARGV[first_argument(i)] or token == read_id)',
          to: 'passes[i] = true',
        },
      },
    ],
    [
      'without the token check for lists',
      {
        script: {
          name: 'confirm',
          from: 'local passes = token and (token == ARGV[i + 2] or token == read_id)',
          to: 'local passes = true',
        },
      },
    ],
    [
      'if lists do not set the token',
      { script: { name: 'confirm', from: "redis.call('HSET', KEYS[i], 'token', read_id)", to: '' } },
    ],
    ['if the screen does not compare offsets', { screenDoesNotCompare: true }],
  ])('%s', async (_, weakness) => {
    let wentBack = 0;
    for (const moves of fc.sample(schedule, { numRuns: 1_000, seed: 1 })) {
      wentBack += (await scheduler.run(moves, weakness)).wentBack;
      if (wentBack > 0) break;
    }
    expect(wentBack).toBeGreaterThan(0);
  });
});
