import { Appointment } from '../models/Appointment.js';
import { emitAppointmentCanceled } from '../utils/realtimeAppointments.js';

export async function cancelAppointment({ appointment_id, reason }, context) {
  const appointment = await Appointment.findOne({ _id: appointment_id, companyId: context.companyId });
  if (!appointment) return { success: false, appointment_id, message: 'There is no such appointment.' };
  appointment.set({ status: 'canceled', canceledAt: new Date(), cancelReason: reason });
  await appointment.save();

  const emitted = await emitAppointmentCanceled(appointment._id);
  if (!emitted) console.warn('[cancel_appointment] Failed to emit socket event', String(appointment._id));

  return { success: true, appointment_id, message: 'The appointment is canceled.' };
}
