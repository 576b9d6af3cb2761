import { cut, singleLine } from '@appointment-emissions/contracts';
import type { Choices } from './calendar.ts';
import type { FreeSlot } from './find-free-slots.ts';
import { longDate, periodInWords } from './local-words.ts';

const MAX_NAME = 80;

interface Summarized {
  date: string;
  lastDate: string;
  durationMinutes: number;
  timeZone: string;
  slots: readonly FreeSlot[];
  /** Whether there are more free times than `slots`. */
  isCut: boolean;
}

/** `3 free times of 60 minutes on Monday, 30 November 2026, in the time zone Europe/Berlin.` */
export function summary({ date, lastDate, durationMinutes, timeZone, slots, isCut }: Summarized): string {
  const days = date === lastDate ? `on ${longDate(date)}` : `from ${longDate(date)} to ${longDate(lastDate)}`;
  const last = slots.at(-1);
  if (last === undefined)
    return `No time of ${durationMinutes} minutes is free ${days}. Search another date, another staff member or a shorter duration.`;
  const count = slots.length === 1 ? '1 free time' : `${slots.length} free times`;
  const more = isCut
    ? ` There are more: search from ${last.start.slice(0, 10)}, or for one staff member.`
    : '';
  return `${count} of ${durationMinutes} minutes ${days}, in the time zone ${timeZone}.${more}`;
}

/** Lines such as `Monday, 30 November 2026, UTC+01:00, Maya Brandt: 09:00, 09:30`. */
export function slotsInWords(slots: readonly FreeSlot[], { staff }: Choices): string[] {
  const names = new Map(staff.map(({ staffId, name }) => [staffId, name]));
  const lines = new Map<string, string[]>();
  for (const { staffId, start } of slots) {
    const [date, time, offset] = [start.slice(0, 10), start.slice(11, 16), start.slice(19)];
    const line = `${longDate(date)}, UTC${offset}, ${names.get(staffId) ?? staffId}`;
    lines.set(line, [...(lines.get(line) ?? []), time]);
  }
  return [...lines].map(([line, times]) => `${line}: ${times.join(', ')}`);
}

export function staffInWords({ staff }: Choices): string {
  return `Staff: ${list(staff.map(({ name, staffId }) => `${name} (staffId ${staffId})`))}`;
}

/** One line for each kind of choice, and for each service and appointment. */
export function choicesInWords(choices: Choices, timeZone: string): string[] {
  const { services, appointments, pets, staff } = choices;
  const names = new Map([
    ...pets.map(({ petId, name }) => [petId, name] as const),
    ...services.map(({ serviceId, name }) => [serviceId, name] as const),
    ...staff.map(({ staffId, name }) => [staffId, name] as const),
  ]);
  const nameOf = (id: string | null): string => (id === null ? undefined : names.get(id)) ?? 'unknown';
  return [
    staffInWords(choices),
    `Pets: ${list(pets.map(({ name, petId }) => `${name} (petId ${petId})`))}`,
    ...services.map(({ name, serviceId, items }) => {
      const variants = items.map((item) => `${item.name} (serviceItemId ${item.serviceItemId})`);
      return `Service: ${name} (serviceId ${serviceId}); variants: ${list(variants)}`;
    }),
    ...appointments.map(
      ({ appointmentId, petId, serviceId, staffId, start, end }) =>
        `Appointment: ${nameOf(petId)}, ${nameOf(serviceId)} with ${nameOf(staffId)}, ` +
        `${periodInWords(start, end, timeZone)} (appointmentId ${appointmentId})`,
    ),
  ];
}

function list(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ');
}

/**
 * Copies the documented fields only, since a model reads all others too. Names come from customers and staff: they may be long, or
 * contain line breaks, after which a text would look like another line of the result.
 */
export function readableChoices({ pets, services, staff, appointments }: Choices): Choices {
  return {
    pets: pets.map(({ petId, name }) => ({ petId, name: readable(name) })),
    services: services.map(({ serviceId, name, items }) => ({
      serviceId,
      name: readable(name),
      items: items.map((item) => ({ serviceItemId: item.serviceItemId, name: readable(item.name) })),
    })),
    staff: staff.map(({ staffId, name }) => ({ staffId, name: readable(name) })),
    appointments: appointments.map(({ appointmentId, petId, serviceId, staffId, start, end }) => ({
      appointmentId,
      petId,
      serviceId,
      staffId,
      start,
      end,
    })),
  };
}

function readable(name: string): string {
  return cut(singleLine(name), MAX_NAME);
}
