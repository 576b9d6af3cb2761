import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runSchedule } from './model/schedule.ts';

describe('what a dashboard shows of an appointment', () => {
  test('never goes back and ends at the last state, however live events, replays and lists interleave', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9999), { minLength: 50, maxLength: 300, size: 'max' }), (choices) => {
        runSchedule(choices);
      }),
      { numRuns: 1500, endOnFailure: true },
    );
  });

  test('negative control: goes back if snapshots are not compared', () => {
    const outcome = fc.check(
      fc.property(fc.array(fc.nat(9999), { minLength: 50, maxLength: 300, size: 'max' }), (choices) => {
        runSchedule(choices, () => true);
      }),
      { numRuns: 200, endOnFailure: true },
    );
    expect(outcome.failed).toBe(true);
  });
});
