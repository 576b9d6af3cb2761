import type {
  AppointmentList,
  AppointmentSnapshot,
  Id,
  StreamPosition,
} from '@appointment-emissions/contracts';

/** The order of a snapshot among all snapshots of its appointment. */
export interface Stamp {
  epoch: string;
  offset: number;
  /** 0 for a live emission; increases with lists and replays. */
  read: number;
}

/** Compares stamps of one epoch, for `Array.sort`: negative if `a` was read before `b`. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return a.offset - b.offset || a.read - b.read;
}

/**
 * True if a snapshot may replace the one on the screen. Stamps of different epochs are not comparable, so the caller must ensure
 * that `candidate` is not of an earlier epoch.
 */
export function isAbove(candidate: Stamp, shown: Stamp | undefined): boolean {
  return shown === undefined || shown.epoch !== candidate.epoch || compareStamps(candidate, shown) > 0;
}

/**
 * The snapshot shown for one appointment, with its order. It is never modified: a newer snapshot is another object.
 *
 * @typeParam A the snapshot of the server's model description, if it has another one than the default
 */
export interface ShownAppointment<A = AppointmentSnapshot> extends Stamp {
  appointment: A;
}

export interface Screen {
  /** The newest known snapshot of each appointment, by `_id`. */
  readonly rows: ReadonlyMap<Id, ShownAppointment>;
  /** Shows a snapshot if it is newer than the snapshot or the deletion shown for its appointment. Returns false if it is not. */
  show: (row: ShownAppointment) => boolean;
  /** Removes an appointment, unless a newer snapshot or deletion was already applied; then returns false. */
  remove: (id: Id, stamp: Stamp) => boolean;
  /** Removes all appointments. Each comes back only with a newer snapshot. */
  clear: () => void;
  /** Replaces all rows that are older than the list. */
  replace: (list: AppointmentList) => void;
  /**
   * Gives all snapshots and deletions of the position's epoch with a higher offset the order of the position, so that the
   * server's newer ones replace them.
   */
  distrustAbove: (position: StreamPosition) => void;
}

/** @param isNewer replaced only in negative controls */
export function createScreen(isNewer: typeof isAbove = isAbove): Screen {
  let rows = new Map<Id, ShownAppointment>();
  /** The order of each deletion. No older snapshot may bring the appointment back. */
  let deletions = new Map<Id, Stamp>();
  // An appointment that is missing from a list is outside its range. No snapshot older than the list may bring it back.
  let floor: Stamp | undefined;

  const stampOf = (id: Id) => rows.get(id) ?? deletions.get(id) ?? floor;

  return {
    get rows() {
      return rows;
    },
    show(row) {
      const id = row.appointment._id;
      if (!isNewer(row, stampOf(id))) return false;
      rows.set(id, row);
      deletions.delete(id);
      return true;
    },
    remove(id, stamp) {
      if (!isNewer(stamp, stampOf(id))) return false;
      rows.delete(id);
      deletions.set(id, stamp);
      return true;
    },
    clear() {
      for (const [id, { epoch, offset, read }] of rows) deletions.set(id, { epoch, offset, read });
      rows = new Map();
    },
    replace({ epoch, offset, appointments }) {
      floor = { epoch, offset, read: Infinity };
      const next = new Map<Id, ShownAppointment>();
      for (const row of appointments) next.set(row.appointment._id, { epoch, ...row });
      // A replay with the offset of the list may be newer than the list.
      const isNewerThanList = (id: Id, stamp: Stamp) =>
        stamp.epoch === epoch && isNewer(stamp, next.get(id) ?? { epoch, offset, read: 0 });
      for (const [id, shown] of rows) if (isNewerThanList(id, shown)) next.set(id, shown);
      const deleted = [...deletions].filter(([id, stamp]) => isNewerThanList(id, stamp));
      for (const [id] of deleted) next.delete(id);
      // `floor` covers the older deletions.
      deletions = new Map(deleted.filter(([, stamp]) => isNewer(stamp, floor)));
      rows = next;
    },
    distrustAbove({ epoch, offset }) {
      const isAfter = (stamp: Stamp) => stamp.epoch === epoch && stamp.offset > offset;
      const lowest = { epoch, offset, read: 0 };
      for (const [id, shown] of rows) if (isAfter(shown)) rows.set(id, { ...shown, ...lowest });
      for (const [id, stamp] of deletions) if (isAfter(stamp)) deletions.set(id, lowest);
      if (floor && isAfter(floor)) floor = lowest;
    },
  };
}
