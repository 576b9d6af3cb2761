import { LAST_INSTANT, parseInstant } from '@appointment-emissions/contracts';
import type { BookingOutcome, ReferenceName, RefusalReason } from './booking-service.ts';
import { SLOT_MINUTES, type ToolName } from './definitions.ts';

const REFERENCES: Record<ReferenceName, string> = {
  customerId: 'no customer with this customerId',
  petId: 'no pet of this customer with this petId',
  serviceId: 'no service with this serviceId',
  serviceItemId: 'no variant of this service with this serviceItemId',
  staffId: 'no staff member with this staffId',
};
const DONE: Record<ToolName, string> = {
  book_appointment: 'Booked.',
  reschedule_appointment: 'Moved.',
  cancel_appointment: 'Canceled.',
};
const ALREADY: Record<ToolName, string> = {
  book_appointment: 'It was already booked; nothing was changed.',
  reschedule_appointment: 'It already was at that time; nothing was changed.',
  cancel_appointment: 'It was already canceled; nothing was changed.',
};
const REFUSED: Record<RefusalReason, string> = {
  'unknown-length': 'the appointment has no valid length. Ask for the length and give it as durationMinutes.',
  'unknown-staff': 'the appointment has no staff member. Ask for one and give its id as staffId.',
  'time-out-of-range': 'the appointment would end after the year 9999. Choose another start.',
  'changed-by-others': 'somebody else is changing this appointment. Try again in a moment.',
  'store-refused':
    'the calendar refused to save this, and would refuse it again. Apologize, and ask a person to check.',
};

/** What a model is told about an outcome: a fact, and what can be done. */
export function wordsFor(tool: ToolName, result: BookingOutcome): string {
  switch (result.outcome) {
    case 'done':
      return result.changed ? DONE[tool] : ALREADY[tool];
    case 'busy':
      return (
        `Nothing was done: the staff member has another appointment${period(result)}. ` +
        (result.own === undefined
          ? 'Offer another time or another staff member.'
          : `It is the one of this very pet, ${result.own}: perhaps it was booked a moment ago.`)
      );
    case 'unknown-reference':
      return `Nothing was done: there is ${REFERENCES[result.reference]}. Look it up again, don't guess.`;
    case 'unknown-appointment':
      return "Nothing was done: there is no appointment with this appointmentId. Look it up again, don't guess.";
    case 'is-canceled':
      return 'Nothing was done: this appointment is canceled and stays so. Book a new one with book_appointment.';
    case 'refused':
      return `Nothing was done: ${REFUSED[result.reason]}`;
    default:
      return result satisfies never;
  }
}

const DAY_MS = 24 * 3_600_000;
/** So that an appointment that begins then also ends in a year that exists everywhere. */
const LAST_START = LAST_INSTANT + 1 - DAY_MS;
function period({ from, to }: { from: Date | null; to: Date | null }): string {
  const [start, end] = [isoOrNull(from), isoOrNull(to)];
  if (start !== null && end !== null) return ` from ${start} to ${end}`;
  return start === null ? ' then' : ` at ${start}`;
}

/** `null` for a date that does not exist too: the store may hold anything. */
export function isoOrNull(date: Date | null): string | null {
  return date === null || Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** Undefined if there is nothing wrong with the time, or none. */
export function problemOfTime(start: string | number | undefined, now: Date): string | undefined {
  if (start === undefined) return undefined;
  const instant = parseInstant(String(start)) ?? Number.NaN;
  if (instant > LAST_START) return `start must not be after "${new Date(LAST_START).toISOString()}".`;
  const slotMs = SLOT_MINUTES * 60_000;
  if (instant % slotMs !== 0) {
    const near = new Date(Math.round(instant / slotMs) * slotMs).toISOString();
    return `start must be on a mark of ${SLOT_MINUTES} minutes; the nearest is "${near}".`;
  }
  if (instant <= now.getTime()) return `start must be in the future; it is "${now.toISOString()}" now.`;
  return undefined;
}
