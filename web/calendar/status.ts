import type { AppointmentSnapshot } from '@appointment-emissions/contracts';

const FREES_SLOT: ReadonlySet<string | null> = new Set(['canceled', 'no_show']);

/** True if the customer does not come, so that the time is free. */
export function freesSlot({ status }: AppointmentSnapshot): boolean {
  return FREES_SLOT.has(status);
}

/** The status as a text: `checked_in` is `Checked in`. */
export function statusName({ status }: AppointmentSnapshot): string {
  const [first = '', ...rest] = (status ?? '').replaceAll('_', ' ');
  return first === '' ? 'Unknown' : first.toUpperCase() + rest.join('');
}

/** Summarizes a day: `12 appointments, 1 canceled, 1 no-show`. */
export function summaryOf(appointments: readonly AppointmentSnapshot[]): string {
  if (appointments.length === 0) return 'No appointments';
  const count = (wanted: string) => appointments.filter(({ status }) => status === wanted).length;
  const booked = appointments.filter((appointment) => !freesSlot(appointment)).length;
  const parts: [number, string][] = [
    [count('canceled'), 'canceled'],
    [count('no_show'), 'no-show'],
  ];
  const free = parts.filter(([number]) => number > 0).map(([number, name]) => `, ${number} ${name}`);
  return `${booked} ${booked === 1 ? 'appointment' : 'appointments'}${free.join('')}`;
}
