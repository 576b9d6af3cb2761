import { Appointment } from '../models/Appointment.js';
import { parseTime } from '../utils/parseTime.js';
import { emitAppointmentUpdated } from '../utils/realtimeAppointments.js';

export async function rescheduleAppointment({ appointment_id, time }, context) {
  const appointment = await Appointment.findOne({ _id: appointment_id, companyId: context.companyId });
  if (!appointment) return { success: false, appointment_id, message: 'There is no such appointment.' };
  const lengthMs = appointment.end - appointment.start;
  appointment.start = parseTime(time, context.timeZone);
  appointment.end = new Date(appointment.start.getTime() + lengthMs);
  await appointment.save();

  const emitted = await emitAppointmentUpdated(appointment._id);
  if (!emitted) console.warn('[reschedule_appointment] Failed to emit socket event', String(appointment._id));

  return { success: true, appointment_id, message: 'The appointment is moved.' };
}
