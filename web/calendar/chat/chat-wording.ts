import { isolate } from '@appointment-emissions/contracts';
import type { ChatAppointment, ChatCatalogue } from '../../../demo/chat.ts';
import type { Conflict } from './free-slot.ts';

/** What the customer asks for, in the customer's words. Names may be in any script. */
export interface Subject {
  pet: string;
  service: string;
  staff: string;
  /** Undefined if an appointment is canceled. */
  start?: Date | undefined;
}

/** `Mon 30 Nov, 09:00` */
export function formatTime(instant: Date, timeZone: string): string {
  const format = {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: 'numeric',
    minute: '2-digit',
  } as const;
  return new Intl.DateTimeFormat(undefined, format).format(instant);
}

/** The bot's reply to a tool call that succeeded. */
export function confirm(tool: string, { pet, service, staff, start }: Subject, timeZone: string): string {
  const when = start === undefined ? '' : formatTime(start, timeZone);
  switch (tool) {
    case 'book_appointment':
      return `Done! ${pet} has an appointment with ${staff}: ${service}, ${when}.`;
    case 'reschedule_appointment':
      return `Done! The appointment of ${pet} with ${staff} is now on ${when}.`;
    default:
      return `Done! The appointment of ${pet} with ${staff} is canceled.`;
  }
}

/** The bot's reply if a time cannot be booked. */
export function apologize(
  conflict: Conflict | undefined,
  { pet, staff }: Subject,
  openingHours: string,
): string {
  switch (conflict) {
    case 'closed':
      return `Sorry, we are open from ${openingHours}.`;
    case 'past':
      return 'Sorry, that time has passed.';
    case 'staff-busy':
      return `Sorry, ${staff} has no time then.`;
    case 'pet-busy':
      return `Sorry, ${pet} has another appointment at that time.`;
    case undefined:
      return 'Sorry, that did not work. Nothing was changed.';
  }
}

/** Describes an appointment in the list of the form. */
export function describeAppointment(
  { petId, serviceId, staffId, start }: ChatAppointment,
  catalogue: ChatCatalogue,
): string {
  const { pet, service, staff } = subjectOf({ petId, serviceId, staffId }, catalogue);
  return `${formatTime(new Date(start), catalogue.timeZone)}: ${pet}, ${service}, ${staff}`;
}

export function subjectOf(
  { petId, serviceId, staffId }: Pick<ChatAppointment, 'petId' | 'serviceId' | 'staffId'>,
  { customers, services, staff }: ChatCatalogue,
): Subject {
  const name = (rows: readonly { id: string; name: string }[], id: string | null): string =>
    isolate(rows.find((row) => row.id === id)?.name ?? '?');
  return {
    pet: name(
      customers.flatMap(({ pets }) => pets),
      petId,
    ),
    service: name(services, serviceId),
    staff: name(staff, staffId),
  };
}
