import { SLOT_MINUTES } from '@appointment-emissions/bot';

const SLOT_MS = SLOT_MINUTES * 60_000;

/**
 * Returns the five-minute slots that an appointment takes, numbered from 1970. They are stored in its `slots`, and a unique index on
 * (staffId, slots) makes overlapping appointments impossible. A slot that is partly taken counts as taken.
 */
export function busySlots(start: Date, end: Date): number[] {
  const first = Math.floor(start.getTime() / SLOT_MS);
  const count = Math.max(1, Math.ceil(end.getTime() / SLOT_MS) - first);
  return Array.from({ length: count }, (_, index) => first + index);
}
