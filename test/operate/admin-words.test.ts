import { expect, test } from '@jest/globals';
import { count, duration, ms, percent } from '../../web/admin/format.ts';
import { findProblems } from '../../web/admin/find-problems.ts';
import type { FleetMetricsReading } from '@appointment-emissions/contracts';

test('rates keep one decimal and never round to 0 % or 100 %', () => {
  expect([0, 7, 1_204, 9_999, 36_012, 1_234_567].map(count)).toEqual([
    '0',
    '7',
    '1,204',
    '9,999',
    '36 k',
    '1.23 M',
  ]);
  expect([null, 0, 0.0001, 0.5, 0.9933, 0.9999, 1].map(percent)).toEqual([
    '–',
    '0 %',
    '< 0.1 %',
    '50 %',
    '99.3 %',
    '> 99.9 %',
    '100 %',
  ]);
  expect([null, 0.0123, 12.34, 1_234.5].map(ms)).toEqual(['–', '0.0123', '12.3', '1235']);
  expect([null, 340, 12_000, 300_000, 3 * 3_600_000, 4 * 86_400_000].map(duration)).toEqual([
    '–',
    '340 ms',
    '12 s',
    '5 min',
    '3 h',
    '4 d',
  ]);
});

const alive = {
  id: '01234567-89ab',
  sockets: 0,
  sinceHeartbeatMs: 10,
  sinceProgressMs: 100,
  warnings: [],
  capture: null,
};

const outcomes = (failureRate: number | null = 0) => ({ overall: { '5m': { failed: 3, failureRate } } });

/** The metrics of a healthy fleet, except for the given values. */
function reading(over: {
  failureRate?: Partial<Record<'live' | 'bulk', number | null>>;
  live?: number | null;
  bulk?: number | null;
  worker?: (typeof alive)[];
  gateway?: (typeof alive)[];
}): FleetMetricsReading {
  const { failureRate = {}, live = null, bulk = null, worker = [alive], gateway = [alive] } = over;
  return {
    byQueue: { live: outcomes(failureRate.live), bulk: outcomes(failureRate.bulk) },
    queue: { oldestLiveWaitingAgeMs: live, oldestBulkWaitingAgeMs: bulk },
    fleet: { processes: { api: [alive], worker, gateway } },
  } as unknown as FleetMetricsReading;
}

test.each([
  ['a healthy fleet', {}, []],
  ['no emission has ended', { failureRate: { live: null, bulk: null } }, []],
  ['no worker', { worker: [] }, ['No worker has sent a heartbeat for 15 s.']],
  ['no gateway', { gateway: [] }, ['No gateway has sent a heartbeat for 15 s.']],
  [
    'failures of live emissions, however many bulk emissions succeed',
    { failureRate: { live: 0.08 } },
    ['8 % of the live emissions that ended in the last 5 minutes failed (3).'],
  ],
  [
    'failures of bulk emissions',
    { failureRate: { live: null, bulk: 0.5 } },
    ['50 % of the bulk emissions that ended in the last 5 minutes failed (3).'],
  ],
  ['a live job that waits long', { live: 90_000 }, ['A live job has waited for 90 s.']],
  ['a bulk job that waits a few minutes', { bulk: 240_000 }, []],
  ['a bulk job that waits long', { bulk: 1_200_000 }, ['A bulk job has waited for 20 min.']],
  [
    'a worker without progress',
    { worker: [{ ...alive, sinceProgressMs: 120_000 }] },
    ['The worker 01234567 has not started or finished a job for 2 min.'],
  ],
  [
    'a gateway without canaries',
    { gateway: [{ ...alive, sinceProgressMs: 120_000 }] },
    ['The gateway 01234567 has not received its canary for 2 min.'],
  ],
])('%s', (_what, over, reasons) => {
  expect(findProblems(reading(over))).toEqual(reasons);
});
