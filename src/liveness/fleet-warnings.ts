import { SWEEP_OFF } from '../sweep/sweep-off.ts';
import type { Fleet } from '../metrics/fleet.ts';
import type { QueuesDepth } from '../metrics/queue-depth.ts';
import { type QueueStates, restrictionsOf } from '../metrics/queue-state.ts';
import { KEPT_JOBS } from '../queue/retry-policy.ts';

/** As in ops/alerts.yml. */
const IDLE_TOO_LONG_MS = 60_000;
const LIVE_WAITING_TOO_LONG_MS = 60_000;

export interface FleetState {
  depth: QueuesDepth;
  states: QueueStates;
  fleet: Fleet;
}

/**
 * Words for the operator about what is wrong in the fleet though every server answers.
 * @param apart  the process that asks, which tells of itself
 */
export function warnOfFleet(
  { depth, states, fleet }: FleetState,
  { maxWaiting, apart }: { maxWaiting: number; apart: string },
): string[] {
  const { worker } = fleet.processes;
  const warnings = restrictionsOf(states).map(({ words }) => words);
  if (worker.length === 0)
    warnings.push('no worker has sent a heartbeat for 15 s: accepted emissions wait; start a worker');
  if (depth.failed >= KEPT_JOBS.removeOnFail.count)
    warnings.push(
      `${depth.failed} failed emissions are kept, the most there can be: the oldest are dropped; repair them`,
    );
  const waiting = depth.waiting + depth.prioritized + depth.delayed;
  if (waiting >= maxWaiting)
    warnings.push(`${waiting} emissions wait: more are refused (QUEUE_MAX_WAITING); add workers`);
  const age = depth.oldestLiveWaitingAgeMs;
  if (age !== null && age > LIVE_WAITING_TOO_LONG_MS)
    warnings.push(`a live emission has waited for ${Math.round(age / 1_000)} s`);
  return [...warnings, ...ofProcesses(fleet, apart)];
}

function ofProcesses({ processes }: Fleet, apart: string): string[] {
  const hasSweep = processes.worker.some(({ warnings }) => !warnings.includes(SWEEP_OFF));
  return Object.entries(processes).flatMap(([role, all]) =>
    all.flatMap(({ id, warnings, sinceProgressMs }) => {
      const name = `${role} ${id.slice(0, 8)}`;
      const own = id === apart ? [] : warnings.filter((words) => words !== SWEEP_OFF || !hasSweep);
      if (sinceProgressMs !== null && sinceProgressMs > IDLE_TOO_LONG_MS) {
        const what = role === 'worker' ? 'has taken no job' : 'has not received its canary';
        own.push(`${what} for ${Math.round(sinceProgressMs / 1_000)} s`);
      }
      return own.map((words) => `${name}: ${words}`);
    }),
  );
}
