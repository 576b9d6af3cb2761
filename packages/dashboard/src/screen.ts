import type {
  AppointmentList,
  AppointmentSnapshot,
  Id,
  StreamPosition,
} from '@appointment-emissions/contracts';
import { isAbove, type Stamp } from './order.ts';

/** The snapshot shown for one appointment, with its order. */
export interface ShownAppointment extends Stamp {
  appointment: AppointmentSnapshot;
}

export interface Screen {
  /** The newest known snapshot of each appointment, by `_id`. */
  readonly rows: ReadonlyMap<Id, ShownAppointment>;
  /** Shows a snapshot if it is newer than the one shown for its appointment. Returns false if it is not. */
  show: (row: ShownAppointment) => boolean;
  /** Replaces all rows that are older than the list. */
  replace: (list: AppointmentList) => void;
  /**
   * Gives all snapshots of the position's epoch with a higher offset the order of the position, so that the server's newer
   * snapshots replace them.
   */
  distrustAbove: (position: StreamPosition) => void;
}

/** @param isNewer replaced only in negative controls */
export function createScreen(isNewer: typeof isAbove = isAbove): Screen {
  let rows = new Map<Id, ShownAppointment>();
  // An appointment that is missing from a list is outside its range. No snapshot older than the list may bring it back.
  let floor: Stamp | undefined;

  return {
    get rows() {
      return rows;
    },
    show(row) {
      if (!isNewer(row, rows.get(row.appointment._id) ?? floor)) return false;
      rows.set(row.appointment._id, row);
      return true;
    },
    replace({ epoch, offset, appointments }) {
      floor = { epoch, offset, read: Infinity };
      const next = new Map<Id, ShownAppointment>();
      for (const row of appointments) next.set(row.appointment._id, { epoch, ...row });
      for (const [id, shown] of rows) {
        // A replay with the offset of the list may be newer than the list. Its row stays.
        if (shown.epoch === epoch && isNewer(shown, next.get(id) ?? { epoch, offset, read: 0 }))
          next.set(id, shown);
      }
      rows = next;
    },
    distrustAbove({ epoch, offset }) {
      const isAfter = (stamp: Stamp) => stamp.epoch === epoch && stamp.offset > offset;
      for (const [id, shown] of rows) if (isAfter(shown)) rows.set(id, { ...shown, offset, read: 0 });
      if (floor && isAfter(floor)) floor = { epoch, offset, read: 0 };
    },
  };
}
