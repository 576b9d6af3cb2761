import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import type { Screen, ShownAppointment } from '../screen.ts';

/** New values of some fields of an appointment, as its snapshot has them. */
export type AppointmentPatch<A = AppointmentSnapshot> = Partial<Omit<A, '_id'>>;

/**
 * One optimistic edit of an appointment.
 *
 * | state     | meaning                                               | leaves it when                                            |
 * | --------- | ----------------------------------------------------- | --------------------------------------------------------- |
 * | pending   | its commit has not settled                            | the commit resolves → committed, or rejects → ended       |
 * | committed | saved; snapshots that were read before may still come | a list requested after the commit is shown, or it expires |
 * | ended     | the confirmed snapshots are shown without it          |                                                           |
 *
 * The deletion of the appointment ends an edit in any state.
 */
export interface Edit {
  readonly hasEnded: boolean;
  /** The patch was saved. */
  commit: () => void;
  /** The patch was not saved. */
  rollBack: () => void;
  /** The commit was so long ago that no snapshot read before it can arrive. */
  expire: () => void;
}

/** A screen that shows optimistic edits on top of the confirmed snapshots. It performs no I/O. */
export interface EditedScreen extends Screen {
  /** Shows a patch on an appointment, on top of its earlier edits. */
  beginEdit: (id: Id, patch: AppointmentPatch) => Edit;
  /** Must be called before each request for a list. The list contains all edits that are committed by then. */
  onListRequest: () => void;
  /** True if the newest snapshot of a committed edit does not contain its patch. Only a list shows whether it is older or newer. */
  readonly needsList: boolean;
}

interface OpenEdit {
  id: Id;
  patch: AppointmentPatch;
  isCommitted: boolean;
  /** True if a list was requested after the commit. */
  isCovered: boolean;
  /** True from a snapshot of the appointment, or the expiry, until the next list that was requested after the commit. */
  isDoubtful: boolean;
  hasExpired: boolean;
}

/**
 * The edits that have not ended, in the order in which they began.
 *
 * A snapshot that arrives after a commit can have been read before it, and its order does not say so. An edit that ended at the first
 * snapshot after its commit could therefore let an older state show. So a committed edit stays on top until a list shows what was
 * stored, or until it expires.
 *
 * @param canReload false if no list can be requested. Then an edit that expires ends, whatever the snapshots contain
 */
function createOpenEdits(confirmed: Screen, canReload: boolean) {
  let open: OpenEdit[] = [];

  const isContradicted = (edit: OpenEdit) =>
    contradicts(confirmed.rows.get(edit.id)?.appointment, edit, open);

  /** Ends an edit that the confirmed snapshots replace. Earlier edits of the same fields do not show again. */
  function yieldToSnapshots(ended: OpenEdit): void {
    const at = open.indexOf(ended);
    for (const earlier of open.slice(0, at).filter(({ id }) => id === ended.id)) {
      const left = Object.entries(earlier.patch).filter(([field]) => !(field in ended.patch));
      earlier.patch = Object.fromEntries(left);
    }
    open.splice(at, 1);
  }

  return {
    get ids() {
      return new Set(open.map(({ id }) => id));
    },
    has: (edit: OpenEdit) => open.includes(edit),
    of: (id: Id) => open.filter((edit) => edit.id === id),
    get needsList() {
      return canReload && open.some((edit) => edit.isCommitted && edit.isDoubtful && isContradicted(edit));
    },
    begin(id: Id, patch: AppointmentPatch): OpenEdit {
      const flags = { isCommitted: false, isCovered: false, isDoubtful: false, hasExpired: false };
      const edit = { id, patch: { ...patch }, ...flags };
      open.push(edit);
      return edit;
    },
    onSnapshot(id: Id): void {
      for (const edit of open) if (edit.id === id) edit.isDoubtful = true;
    },
    onListRequest: (): void => {
      for (const edit of open) edit.isCovered = edit.isCommitted;
    },
    /** If the appointment is outside the range of the list, a snapshot that was read before the commit can still arrive. */
    onList(listed: ReadonlySet<Id>): void {
      for (const edit of [...open].reverse()) {
        if (!edit.isCovered) continue;
        edit.isDoubtful = false;
        if (edit.hasExpired || listed.has(edit.id)) yieldToSnapshots(edit);
      }
    },
    expire(edit: OpenEdit): void {
      edit.isDoubtful = edit.hasExpired = true;
      if (open.includes(edit) && !(canReload && isContradicted(edit))) yieldToSnapshots(edit);
    },
    remove(isRemoved: (edit: OpenEdit) => boolean): void {
      open = open.filter((edit) => !isRemoved(edit));
    },
  };
}

/** True if a snapshot has other values than the edit, in fields that no later committed edit covers. */
function contradicts(
  snapshot: AppointmentSnapshot | undefined,
  edit: OpenEdit,
  open: readonly OpenEdit[],
): boolean {
  const later = open
    .slice(open.indexOf(edit) + 1)
    .filter(({ id, isCommitted }) => id === edit.id && isCommitted);
  const onTop = Object.entries(edit.patch).filter(([field]) => !later.some(({ patch }) => field in patch));
  return snapshot !== undefined && !includes(snapshot, Object.fromEntries(onTop));
}

/** True if `actual` has all values of `wanted`, also in nested objects. */
function includes(actual: unknown, wanted: unknown): boolean {
  if (Object.is(actual, wanted)) return true;
  if (!isObject(actual) || !isObject(wanted)) return false;
  if (Array.isArray(wanted) && (!Array.isArray(actual) || actual.length !== wanted.length)) return false;
  return Object.entries(wanted).every(([field, value]) => includes(actual[field], value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Builds the rows with edits from the confirmed ones. */
function createEditedRows(confirmed: Screen, edits: ReturnType<typeof createOpenEdits>) {
  /** The rows that show an edit. */
  const edited = new Map<Id, ShownAppointment>();
  /** All rows; undefined if they have changed. */
  let rows: ReadonlyMap<Id, ShownAppointment> | undefined;

  function update(id: Id): void {
    const row = confirmed.rows.get(id);
    const patches = edits.of(id).map(({ patch }) => patch);
    rows = undefined;
    if (row === undefined || patches.length === 0) edited.delete(id);
    else {
      const apply = (before: AppointmentSnapshot, patch: AppointmentPatch) => ({
        ...before,
        ...patch,
        _id: id,
      });
      edited.set(id, { ...row, appointment: patches.reduce(apply, row.appointment) });
    }
  }

  return {
    get rows() {
      return edited.size === 0 ? confirmed.rows : (rows ??= new Map([...confirmed.rows, ...edited]));
    },
    update,
    updateAll(): void {
      for (const id of new Set([...edited.keys(), ...edits.ids])) update(id);
    },
  };
}

/** @param confirmed the screen of the confirmed snapshots */
export function createEditedScreen(confirmed: Screen, canReload: boolean): EditedScreen {
  const edits = createOpenEdits(confirmed, canReload);
  const shown = createEditedRows(confirmed, edits);

  function beginEdit(id: Id, patch: AppointmentPatch): Edit {
    const edit = edits.begin(id, patch);
    shown.update(id);
    return {
      get hasEnded() {
        return !edits.has(edit);
      },
      commit() {
        edit.isCommitted = true;
      },
      rollBack() {
        edits.remove((other) => other === edit);
        shown.update(id);
      },
      expire() {
        edits.expire(edit);
        shown.update(id);
      },
    };
  }

  return {
    beginEdit,
    ...confirmedChanges(confirmed, edits, shown),
    onListRequest: edits.onListRequest,
    get needsList() {
      return edits.needsList;
    },
    get rows() {
      return shown.rows;
    },
  };
}

/** The changes of the confirmed snapshots, with what each means for the edits. */
function confirmedChanges(
  confirmed: Screen,
  edits: ReturnType<typeof createOpenEdits>,
  shown: ReturnType<typeof createEditedRows>,
): Omit<Screen, 'rows'> {
  return {
    show(row) {
      const { _id: id } = row.appointment;
      const isNewer = confirmed.show(row);
      edits.onSnapshot(id);
      shown.update(id);
      return isNewer;
    },
    remove(id, stamp) {
      const isNewer = confirmed.remove(id, stamp);
      if (isNewer) edits.remove((edit) => edit.id === id);
      shown.update(id);
      return isNewer;
    },
    clear() {
      confirmed.clear();
      shown.updateAll();
    },
    replace(list) {
      confirmed.replace(list);
      edits.onList(new Set(list.appointments.map(({ appointment }) => appointment._id)));
      shown.updateAll();
    },
    distrustAbove(position) {
      confirmed.distrustAbove(position);
      shown.updateAll();
    },
  };
}
