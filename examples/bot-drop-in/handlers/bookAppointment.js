import { Appointment } from '../models/Appointment.js';
import { parseTime } from '../utils/parseTime.js';
import { emitAppointmentCreated } from '../utils/realtimeAppointments.js';

export async function bookAppointment(
  { time, duration_minutes = 60, pet_id, service_id, staff_id },
  context,
) {
  const start = parseTime(time, context.timeZone);
  const appointment = await Appointment.create({
    companyId: context.companyId,
    customerId: context.contactId,
    petId: pet_id,
    serviceId: service_id,
    staffId: staff_id,
    start,
    end: new Date(start.getTime() + duration_minutes * 60_000),
  });

  const emitted = await emitAppointmentCreated(appointment._id);
  if (!emitted) console.warn('[book_appointment] Failed to emit socket event', String(appointment._id));

  return { success: true, appointment_id: String(appointment._id), message: 'The appointment is booked.' };
}
