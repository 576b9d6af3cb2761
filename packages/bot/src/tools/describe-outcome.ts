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
  reschedule_appointment: 'It was already at that time; nothing was changed.',
  cancel_appointment: 'It was already canceled; nothing was changed.',
};
const REFUSED: Record<RefusalReason, string> = {
  'unknown-length':
    'the appointment has no valid duration. Ask for the duration and pass it as durationMinutes.',
  'unknown-staff': 'the appointment has no staff member. Ask for one and pass its id as staffId.',
  'time-out-of-range': 'the appointment would end after the year 9999. Choose another start.',
  'no-show':
    'the customer did not come to this appointment, so it cannot be moved or canceled. Book a new one with book_appointment.',
  'changed-by-others': 'the appointment is being changed by another user. Try again in a moment.',
  'store-refused':
    'the calendar rejected this change, and would reject it again. Apologize, and ask a staff member to check.',
};

/** Describes an outcome for the model: what happened, and what it can do next. */
export function describeOutcome(tool: ToolName, result: BookingOutcome): string {
  switch (result.outcome) {
    case 'done':
      return result.changed ? DONE[tool] : ALREADY[tool];
    case 'busy':
      if (result.of === 'pet')
        return `Nothing was done: the pet has an appointment with another staff member${describePeriod(result)}. Offer another time.`;
      return (
        `Nothing was done: the staff member has another appointment${describePeriod(result)}. ` +
        (result.own === undefined
          ? 'Offer another time or another staff member.'
          : `It is for the same pet, with the id ${result.own}: perhaps it was booked a moment ago.`)
      );
    case 'unknown-reference':
      return `Nothing was done: there is ${REFERENCES[result.reference]}. Look the id up again; do not guess it.`;
    case 'unknown-appointment':
      return 'Nothing was done: there is no appointment with this appointmentId. Look the id up again; do not guess it.';
    case 'is-canceled':
      return 'Nothing was done: this appointment is canceled and cannot be changed. Book a new one with book_appointment.';
    case 'refused':
      return `Nothing was done: ${REFUSED[result.reason]}`;
    default:
      return result satisfies never;
  }
}

const DAY_MS = 24 * 3_600_000;
/** The latest start. It ensures that the appointment ends before the year 10000. */
const LAST_START = LAST_INSTANT + 1 - DAY_MS;

function describePeriod({ from, to }: { from: Date | null; to: Date | null }): string {
  const [start, end] = [isoOrNull(from), isoOrNull(to)];
  if (start !== null && end !== null) return ` from ${start} to ${end}`;
  return start === null ? ' at that time' : ` at ${start}`;
}

/** Returns `null` for an invalid date too, since the store may contain anything. */
export function isoOrNull(date: Date | null): string | null {
  return date === null || Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** Describes why a start time is not allowed. Undefined if it is allowed or missing. */
export function describeTimeProblem(start: string | number | undefined, now: Date): string | undefined {
  if (start === undefined) return undefined;
  const instant = parseInstant(String(start)) ?? Number.NaN;
  if (instant > LAST_START) return `start must not be after "${new Date(LAST_START).toISOString()}".`;
  const slotMs = SLOT_MINUTES * 60_000;
  if (instant % slotMs !== 0) {
    const near = new Date(Math.round(instant / slotMs) * slotMs).toISOString();
    return `start must be at a multiple of ${SLOT_MINUTES} minutes; the nearest is "${near}".`;
  }
  if (instant <= now.getTime()) return `start must be in the future; the time is now "${now.toISOString()}".`;
  return undefined;
}
