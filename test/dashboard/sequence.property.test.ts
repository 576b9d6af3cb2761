import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runSchedule } from './model/schedule.ts';

describe('what a dashboard shows of an appointment', () => {
  test('never goes back and ends at the last state, however live, replay and list interleave', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9999), { minLength: 50, maxLength: 300, size: 'max' }), (choices) => {
        runSchedule(choices);
      }),
      { numRuns: 1500, endOnFailure: true },
    );
  });

  test('goes back when snapshots are not compared', () => {
    const outcome = fc.check(
      fc.property(fc.array(fc.nat(9999), { minLength: 50, maxLength: 300, size: 'max' }), (choices) => {
        runSchedule(choices, () => true);
      }),
      { numRuns: 200, endOnFailure: true },
    );
    expect(outcome.failed).toBe(true);
  });
});
