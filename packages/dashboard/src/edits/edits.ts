import type { Id } from '@appointment-emissions/contracts';
import { type Alarm, createAlarm } from '../timers.ts';
import type { Timings } from '../options.ts';
import type { AppointmentPatch, Edit, EditedScreen } from './edited-screen.ts';

export interface EditsDeps {
  screen: EditedScreen;
  timings: Pick<Timings, 'confirmMs'>;
  /** What is shown of an appointment has changed. */
  onEdited: (id: Id) => void;
  /** A list may be needed now. */
  onChange: () => void;
}

/** Runs optimistic edits: shows each at once, calls its commit, and ends it. */
export function createEdits({ screen, timings, onEdited, onChange }: EditsDeps) {
  const expiries = new Set<Alarm>();
  let isClosed = false;

  function report(id: Id): void {
    if (isClosed) return;
    onEdited(id);
    onChange();
  }

  function expireLater(id: Id, edit: Edit): void {
    if (isClosed || edit.hasEnded) return;
    const expiry = createAlarm();
    expiries.add(expiry);
    expiry.set(timings.confirmMs, () => {
      expiries.delete(expiry);
      edit.expire();
      if (edit.hasEnded) report(id);
      else onChange();
    });
  }

  async function edit<T>(id: Id, patch: AppointmentPatch, commit: () => T | PromiseLike<T>): Promise<T> {
    const begun = screen.beginEdit(id, patch);
    report(id);
    let result: T;
    try {
      result = await commit();
    } catch (error) {
      begun.rollBack();
      report(id);
      throw error;
    }
    begun.commit();
    expireLater(id, begun);
    if (!isClosed) onChange();
    return result;
  }

  return {
    edit,
    close(): void {
      isClosed = true;
      for (const expiry of expiries) expiry.clear();
      expiries.clear();
    },
  };
}
