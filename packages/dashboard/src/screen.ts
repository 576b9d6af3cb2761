import type { AppointmentList, AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import { isAbove, type Stamp } from './order.ts';

/** What is shown of one appointment, and which read it came from. */
export interface ShownAppointment extends Stamp {
  appointment: AppointmentSnapshot;
}

export interface Screen {
  readonly rows: ReadonlyMap<Id, ShownAppointment>;
  /** Shows the snapshot if it is newer than what is shown of its appointment; false where it is not. */
  show: (row: ShownAppointment) => boolean;
  /** Shows the list instead of all rows that it was read after. */
  replace: (list: AppointmentList) => void;
}

/** @param isNewer replaced only by the tests' negative control */
export function createScreen(isNewer: typeof isAbove = isAbove): Screen {
  let rows = new Map<Id, ShownAppointment>();
  // What a list leaves out was outside of its range: nothing read before the list may bring it back.
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
        // A replay with the list's own offset may have been read after it: its appointment stays.
        if (shown.epoch === epoch && isNewer(shown, next.get(id) ?? { epoch, offset, read: 0 }))
          next.set(id, shown);
      }
      rows = next;
    },
  };
}
