import { SLOT_MINUTES } from '@appointment-emissions/bot';

const SLOT_MS = SLOT_MINUTES * 60_000;

/**
 * The five-minute slots that an appointment takes, numbered from the epoch, as they stand in its `slots`. An index
 * that is unique on (staffId, slots) makes two overlapping ones impossible. Parts of a slot count as all of it.
 */
export function busySlots(start: Date, end: Date): number[] {
  const first = Math.floor(start.getTime() / SLOT_MS);
  const count = Math.max(1, Math.ceil(end.getTime() / SLOT_MS) - first);
  return Array.from({ length: count }, (_, index) => first + index);
}
