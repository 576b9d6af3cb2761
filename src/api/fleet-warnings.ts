import { SWEEP_OFF } from '../sweep/start-sweep.ts';
import type { Fleet } from '../metrics/fleet/read-fleet.ts';
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
 * What is wrong in the fleet though every server answers, in words for the operator.
 * @param apart  the process that asks, which tells of itself
 */
export function warnOfFleet(
  { depth, states, fleet }: FleetState,
  { maxWaiting, apart }: { maxWaiting: number; apart: string },
): string[] {
  const warnings = restrictionsOf(states).map(({ words }) => words);
  if (depth.failed >= KEPT_JOBS.removeOnFail.count)
    warnings.push(
      `${depth.failed} failed emissions are kept, the most there can be: the oldest are dropped; repair them`,
    );
  const waiting = depth.waiting + depth.prioritized + depth.delayed;
  if (waiting >= maxWaiting)
    warnings.push(`${waiting} emissions wait: more are refused (MAX_WAITING_EMISSIONS); add workers`);
  return [...warnings, ...reportedBy(fleet, apart)];
}

/** What the figures say of a fleet that does not work: the operator's page judges the same figures by itself. */
export function warnOfFigures({ depth, fleet: { processes } }: FleetState): string[] {
  const warnings: string[] = [];
  if (processes.worker.length === 0)
    warnings.push('no worker has sent a heartbeat for 15 s: accepted emissions wait; start a worker');
  const age = depth.oldestLiveWaitingAgeMs;
  if (age !== null && age > LIVE_WAITING_TOO_LONG_MS)
    warnings.push(`a live emission has waited for ${Math.round(age / 1_000)} s`);
  for (const [role, all] of Object.entries(processes)) {
    for (const { id, sinceProgressMs: idleMs } of all) {
      if (idleMs === null || idleMs <= IDLE_TOO_LONG_MS) continue;
      const what = role === 'worker' ? 'has taken no job' : 'has not received its canary';
      warnings.push(`${nameOf(role, id)}: ${what} for ${Math.round(idleMs / 1_000)} s`);
    }
  }
  return warnings;
}

/** What the processes report of themselves. */
function reportedBy({ processes }: Fleet, apart: string): string[] {
  const hasSweep = processes.worker.some(({ warnings }) => !warnings.includes(SWEEP_OFF));
  return Object.entries(processes).flatMap(([role, all]) =>
    all
      .filter(({ id }) => id !== apart)
      .flatMap(({ id, warnings }) =>
        warnings
          .filter((words) => words !== SWEEP_OFF || !hasSweep)
          .map((words) => `${nameOf(role, id)}: ${words}`),
      ),
  );
}

const nameOf = (role: string, id: string): string => `${role} ${id.slice(0, 8)}`;
