import type { LeftOutRow } from '../domain/updated-rows.ts';

/** The rows that sweeps currently leave out. */
export interface LeftOutRows {
  /** Adds rows that a walk just found. */
  add: (rows: readonly LeftOutRow[]) => void;
  /** Call after a complete walk: rows that it did not find again have been repaired. */
  endRound: () => void;
  /** Call when another process has the lease. */
  forget: () => void;
  /** Number of rows, at most 1,000. */
  count: () => number;
  /** Number of rows by field, such as `companyId: 2`; empty if there are none. */
  describe: () => string;
}

const MAX_ROWS = 1_000;

/** @param onNew  called with rows that were not left out before */
export function createLeftOutRows(onNew: (rows: readonly LeftOutRow[]) => void): LeftOutRows {
  let known = new Map<string, LeftOutRow>();
  /** Rows of the current walk. */
  let found = new Map<string, LeftOutRow>();

  return {
    add(rows) {
      const fresh: LeftOutRow[] = [];
      for (const row of rows) {
        if (!known.has(row.key) && known.size < MAX_ROWS) {
          known.set(row.key, row);
          fresh.push(row);
        }
        if (found.size < MAX_ROWS) found.set(row.key, row);
      }
      if (fresh.length > 0) onNew(fresh);
    },
    endRound() {
      known = found;
      found = new Map();
    },
    forget() {
      known = new Map();
      found = new Map();
    },
    count: () => known.size,
    describe() {
      const counts = new Map<string, number>();
      for (const { field } of known.values()) counts.set(field, (counts.get(field) ?? 0) + 1);
      return [...counts].map(([field, n]) => `${field}: ${n}`).join(', ');
    },
  };
}
