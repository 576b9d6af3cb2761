import { CANCELED, Reservation } from '../models/index.js';

const QUARTER_HOUR_MS = 15 * 60_000;

/** Saves an appointment, and reserves its time. @throws a duplicate key error if the time is taken */
export async function saveAppointment(appointment, session) {
  const { _id: appointmentId, staffId, start, end, status } = appointment;
  await appointment.save({ session });
  await Reservation.deleteMany({ appointmentId }, { session });
  if (CANCELED.includes(status)) return;
  const reservations = [];
  for (let at = start.getTime(); at < end.getTime(); at += QUARTER_HOUR_MS) {
    reservations.push({ appointmentId, staffId, quarterHour: new Date(at) });
  }
  await Reservation.insertMany(reservations, { session });
}
