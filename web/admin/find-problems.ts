import {
  cut,
  type FleetMetricsReading,
  isolate,
  type ProcessRole,
  QUEUES,
} from '@appointment-emissions/contracts';
import { duration, percent } from './format.ts';

/** Describes the problems that an operator should look at. Empty if there are none. The limits are those of ops/alerts.yml. */
export function findProblems({ byQueue, queue, fleet }: FleetMetricsReading): string[] {
  const problems: string[] = [];
  const names: Record<ProcessRole, string> = { gateway: 'gateway', worker: 'worker', api: 'API' };
  for (const role of ['worker', 'gateway', 'api'] as const) {
    if (fleet.processes[role].length === 0) problems.push(`No ${names[role]} has sent a heartbeat for 15 s.`);
  }
  for (const role of ['worker', 'gateway'] as const) {
    for (const { id, sinceProgressMs } of fleet.processes[role]) {
      if (sinceProgressMs === null || sinceProgressMs <= IDLE_TOO_LONG_MS) continue;
      const what = role === 'worker' ? 'has not started or finished a job' : 'has not received its canary';
      problems.push(`The ${role} ${isolate(cut(id, 8))} ${what} for ${duration(sinceProgressMs)}.`);
    }
  }
  const { oldestLiveWaitingAgeMs: live, oldestBulkWaitingAgeMs: bulk } = queue;
  if (live !== null && live > LIVE_WAITING_TOO_LONG_MS) {
    problems.push(`A live job has waited for ${duration(live)}.`);
  }
  if (bulk !== null && bulk > BULK_WAITING_TOO_LONG_MS) {
    problems.push(`A bulk job has waited for ${duration(bulk)}.`);
  }
  for (const name of QUEUES) {
    const { failureRate, failed } = byQueue[name].overall['5m'];
    if (failureRate === null || failureRate <= FAILING_TOO_OFTEN) continue;
    problems.push(
      `${percent(failureRate)} of the ${name} emissions that ended in the last 5 minutes failed (${failed}).`,
    );
  }
  return problems;
}

const LIVE_WAITING_TOO_LONG_MS = 60_000;
const BULK_WAITING_TOO_LONG_MS = 900_000;
const IDLE_TOO_LONG_MS = 60_000;
const FAILING_TOO_OFTEN = 0.05;
