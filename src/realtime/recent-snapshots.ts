import type { Id } from '@appointment-emissions/contracts';

export interface RecentSnapshots<Snapshot> {
  find: (companyId: Id, appointmentId: Id) => Snapshot | undefined;
  keep: (companyId: Id, appointmentId: Id, snapshot: Snapshot) => void;
}

/** Keeps the snapshots of recent replays in memory, for `keptMs` and at most `max` of them. */
export function createRecentSnapshots<Snapshot>({
  keptMs,
  max,
}: {
  keptMs: number;
  max: number;
}): RecentSnapshots<Snapshot> {
  /** Oldest first. */
  const kept = new Map<string, { snapshot: Snapshot; until: number }>();
  const keyOf = (companyId: Id, appointmentId: Id): string => `${companyId} ${appointmentId}`;
  let timer: NodeJS.Timeout | undefined;

  function forget(): void {
    const now = performance.now();
    for (const [key, { until }] of kept) if (until <= now) kept.delete(key);
    timer = undefined;
    if (kept.size > 0) schedule();
  }

  function schedule(): void {
    timer ??= setTimeout(forget, keptMs).unref();
  }

  return {
    find: (companyId, appointmentId) => kept.get(keyOf(companyId, appointmentId))?.snapshot,
    keep(companyId, appointmentId, snapshot) {
      const key = keyOf(companyId, appointmentId);
      kept.delete(key);
      kept.set(key, { snapshot, until: performance.now() + keptMs });
      if (kept.size > max) kept.delete(kept.keys().next().value ?? key);
      schedule();
    },
  };
}
