import type { AppointmentSnapshot } from '@appointment-emissions/contracts';

/** Summarizes a day: `12 appointments, 1 canceled`. */
export function summaryOf(appointments: readonly AppointmentSnapshot[]): string {
  const canceled = appointments.filter(({ status }) => status === 'canceled').length;
  const booked = appointments.length - canceled;
  if (appointments.length === 0) return 'No appointments';
  return `${booked} ${booked === 1 ? 'appointment' : 'appointments'}${canceled > 0 ? `, ${canceled} canceled` : ''}`;
}
