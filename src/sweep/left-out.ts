import type { Id } from '@appointment-emissions/contracts';

/** A row that cannot be emitted, and the field that makes it so. */
export interface LeftOutRow {
  /** The same for the same row. */
  key: string;
  appointmentId: Id | null;
  field: '_id' | 'companyId' | 'updatedAt';
}

/** The rows that sweeps leave out at present. */
export interface LeftOutRows {
  /** Notes rows that were just met. */
  add: (rows: readonly LeftOutRow[]) => void;
  /** A look back has met all rows again: those that it did not meet have been mended. */
  endRound: () => void;
  /** Another process sweeps now. */
  forget: () => void;
  /** How many, at most 1,000. */
  count: () => number;
  /** How many by field, such as `companyId: 2`; empty if there are none. */
  describe: () => string;
}

const MAX_ROWS = 1_000;

/** @param onNew called with rows that were not left out before */
export function createLeftOutRows(onNew: (rows: readonly LeftOutRow[]) => void): LeftOutRows {
  let known = new Map<string, LeftOutRow>();
  let met = new Map<string, LeftOutRow>();

  return {
    add(rows) {
      const fresh: LeftOutRow[] = [];
      for (const row of rows) {
        if (!known.has(row.key) && known.size < MAX_ROWS) {
          known.set(row.key, row);
          fresh.push(row);
        }
        if (met.size < MAX_ROWS) met.set(row.key, row);
      }
      if (fresh.length > 0) onNew(fresh);
    },
    endRound() {
      known = met;
      met = new Map();
    },
    forget() {
      known = new Map();
      met = new Map();
    },
    count: () => known.size,
    describe() {
      const counts = new Map<string, number>();
      for (const { field } of known.values()) counts.set(field, (counts.get(field) ?? 0) + 1);
      return [...counts].map(([field, n]) => `${field}: ${n}`).join(', ');
    },
  };
}
