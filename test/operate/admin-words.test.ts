import { expect, test } from '@jest/globals';
import { count, duration, ms, percent } from '../../web/admin/format.ts';
import { judge } from '../../web/admin/judge.ts';
import type { FleetMetricsReading } from '@appointment-emissions/contracts';

test('figures are short, and never rounded to all or nothing', () => {
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

const alive = { id: '01234567-89ab', sockets: 0, sinceHeartbeatMs: 10, sinceProgressMs: 100 };

/** A fleet that is well, but for what is given. */
function reading(over: {
  failureRate?: number | null;
  live?: number | null;
  bulk?: number | null;
  worker?: (typeof alive)[];
  gateway?: (typeof alive)[];
}): FleetMetricsReading {
  const { failureRate = 0, live = null, bulk = null, worker = [alive], gateway = [alive] } = over;
  return {
    overall: { '5m': { failed: 3, failureRate } },
    queue: { oldestLiveWaitingAgeMs: live, oldestBulkWaitingAgeMs: bulk },
    fleet: { processes: { api: [alive], worker, gateway } },
  } as unknown as FleetMetricsReading;
}

test.each([
  ['all is well', {}, []],
  ['nothing has ended yet', { failureRate: null }, []],
  ['no worker', { worker: [] }, ['No worker was heard of within 15 s.']],
  ['no gateway', { gateway: [] }, ['No gateway was heard of within 15 s.']],
  ['failures', { failureRate: 0.08 }, ['8 % of what ended within 5 minutes failed (3).']],
  ['a live booking that waits', { live: 90_000 }, ['A live booking has waited for 90 s.']],
  ['a batch that takes its time', { bulk: 240_000 }, []],
  [
    'a batch that nobody takes',
    { bulk: 1_200_000 },
    ['A job of a batch, a repair or the sweep has waited for 20 min.'],
  ],
  [
    'a worker that is stuck',
    { worker: [{ ...alive, sinceProgressMs: 120_000 }] },
    ['The worker 01234567 has taken no job for 2 min.'],
  ],
  [
    'a gateway that is deaf',
    { gateway: [{ ...alive, sinceProgressMs: 120_000 }] },
    ['The gateway 01234567 has not heard its canary for 2 min.'],
  ],
])('%s', (_what, over, reasons) => {
  expect(judge(reading(over))).toEqual(reasons);
});
