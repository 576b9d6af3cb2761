import { SWEEP_OFF } from '../sweep/start-sweep.ts';
import type { Fleet } from '../metrics/fleet/read-fleet.ts';
import type { QueuesDepth } from '../metrics/queue-depth.ts';
import { restrictionsOf, type ShardStates } from '../metrics/queue-state.ts';
import { KEPT_JOBS } from '../queue/retry-policy.ts';

/** The same thresholds as in ops/alerts.yml. */
const IDLE_TOO_LONG_MS = 60_000;
const LIVE_WAITING_TOO_LONG_MS = 60_000;

export interface FleetState {
  depth: QueuesDepth;
  states: ShardStates[];
  fleet: Fleet;
}

/**
 * Problems of the fleet while every server answers, as text for the operator.
 * @param ownId  of this process, whose own warnings the caller adds
 */
export function warnOfFleet(
  { depth, states, fleet }: FleetState,
  { maxWaiting, ownId }: { maxWaiting: number; ownId: string },
): string[] {
  const warnings = restrictionsOf(states).map(({ words }) => words);
  if (depth.failed >= KEPT_JOBS.removeOnFail.count)
    warnings.push(
      `${depth.failed} failed emissions are kept, which is the maximum: the oldest are dropped; repair them`,
    );
  const waiting = depth.waiting + depth.prioritized + depth.delayed;
  if (waiting >= maxWaiting)
    warnings.push(
      `${waiting} emissions wait, so further ones are refused (MAX_WAITING_EMISSIONS): add workers`,
    );
  return [...warnings, ...warnOfShards(depth, fleet), ...reportedBy(fleet, ownId)];
}

function warnOfShards({ shards }: QueuesDepth, { processes: { worker: workers } }: Fleet): string[] {
  // Without any worker there is another warning.
  const served = workers.length === 0 ? Infinity : Math.max(...workers.map((worker) => worker.shards));
  return shards.flatMap(({ shard, jobs }) => {
    if (jobs === null) return `the Redis node of shard ${shard} does not answer: its companies wait`;
    // Active jobs too: those of a dead process remain until a worker finds them.
    const waiting = jobs.waiting + jobs.delayed + jobs.active;
    if (shard < served || waiting === 0) return [];
    return `${waiting} emissions wait in shard ${shard}, and no worker takes them: start workers of this version`;
  });
}

/** Problems that the figures show. The operator's page derives them from the same figures. */
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

/**
 * Warnings in the heartbeats of the other processes. The warning that the sweep is off is left out if another worker runs the
 * sweep.
 */
function reportedBy({ processes }: Fleet, ownId: string): string[] {
  const hasSweep = processes.worker.some(({ warnings }) => !warnings.includes(SWEEP_OFF));
  return Object.entries(processes).flatMap(([role, all]) =>
    all
      .filter(({ id }) => id !== ownId)
      .flatMap(({ id, warnings }) =>
        warnings
          .filter((words) => words !== SWEEP_OFF || !hasSweep)
          .map((words) => `${nameOf(role, id)}: ${words}`),
      ),
  );
}

const nameOf = (role: string, id: string): string => `${role} ${id.slice(0, 8)}`;
