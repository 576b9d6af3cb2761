import type { CompanyOverShare, Id } from '@appointment-emissions/contracts';

/** Counts by company, of the last one to two minutes. Times are monotonic milliseconds. */
export interface RecentCounts {
  add: (companyId: Id, at: number) => void;
  /** By company; a company without a count is absent. */
  read: (at: number) => Map<Id, number>;
}

const COUNTED_MS = 60_000;
/** Companies in a list for the operator. */
export const MAX_COMPANIES = 10;

export function createRecentCounts(): RecentCounts {
  let minute = { startedAt: -Infinity, counts: new Map<Id, number>() };
  let before = new Map<Id, number>();

  function turnPage(at: number): void {
    if (at - minute.startedAt < COUNTED_MS) return;
    before = at - minute.startedAt < 2 * COUNTED_MS ? minute.counts : new Map<Id, number>();
    minute = { startedAt: at, counts: new Map() };
  }

  return {
    add(companyId, at) {
      turnPage(at);
      minute.counts.set(companyId, (minute.counts.get(companyId) ?? 0) + 1);
    },
    read(at) {
      turnPage(at);
      const sums = new Map(before);
      for (const [companyId, count] of minute.counts) sums.set(companyId, (sums.get(companyId) ?? 0) + count);
      return sums;
    },
  };
}

/** The ten companies with the most emissions. */
export function mostEmissions(counts: ReadonlyMap<Id, number>): CompanyOverShare[] {
  return [...counts]
    .map(([companyId, emissions]) => ({ companyId, emissions }))
    .sort((a, b) => b.emissions - a.emissions)
    .slice(0, MAX_COMPANIES);
}
