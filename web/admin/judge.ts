import { cut, type FleetMetricsReading, isolate, type ProcessRole } from '@appointment-emissions/contracts';
import { duration, percent } from './format.ts';

/** What an operator should look at, in words; nothing where all is well. The limits are those of ops/alerts.yml. */
export function judge({ overall, queue, fleet }: FleetMetricsReading): string[] {
  const reasons: string[] = [];
  const names: Record<ProcessRole, string> = { gateway: 'gateway', worker: 'worker', api: 'API' };
  for (const role of ['worker', 'gateway', 'api'] as const) {
    if (fleet.processes[role].length === 0) reasons.push(`No ${names[role]} was heard of within 15 s.`);
  }
  for (const role of ['worker', 'gateway'] as const) {
    for (const { id, sinceProgressMs } of fleet.processes[role]) {
      if (sinceProgressMs === null || sinceProgressMs <= IDLE_TOO_LONG_MS) continue;
      const what = role === 'worker' ? 'has taken no job' : 'has not heard its canary';
      reasons.push(`The ${role} ${isolate(cut(id, 8))} ${what} for ${duration(sinceProgressMs)}.`);
    }
  }
  const { oldestLiveWaitingAgeMs: live, oldestBulkWaitingAgeMs: bulk } = queue;
  if (live !== null && live > LIVE_WAITING_TOO_LONG_MS) {
    reasons.push(`A live booking has waited for ${duration(live)}.`);
  }
  if (bulk !== null && bulk > BULK_WAITING_TOO_LONG_MS) {
    reasons.push(`A job of a batch, a repair or the sweep has waited for ${duration(bulk)}.`);
  }
  const { failureRate, failed } = overall['5m'];
  if (failureRate !== null && failureRate > FAILING_TOO_OFTEN) {
    reasons.push(`${percent(failureRate)} of what ended within 5 minutes failed (${failed}).`);
  }
  return reasons;
}

const LIVE_WAITING_TOO_LONG_MS = 60_000;
const BULK_WAITING_TOO_LONG_MS = 900_000;
const IDLE_TOO_LONG_MS = 60_000;
const FAILING_TOO_OFTEN = 0.05;
