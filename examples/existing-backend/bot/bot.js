/** Runs the tool calls of a language model: one JSON object per line, {"tool": …, "args": {…}, "context": {…}}. */
import { createInterface } from 'node:readline';
import mongoose from 'mongoose';
import { config } from '../config.js';
import { Appointment } from '../models/index.js';
import {
  emitAppointmentCanceled,
  emitAppointmentCreated,
  emitAppointmentUpdated,
} from './utils/realtimeAppointments.js';

const handlers = {
  async book_appointment({ start, duration_minutes = 60, ...ids }, { companyId, contactId }) {
    const from = new Date(start);
    const end = new Date(from.getTime() + duration_minutes * 60_000);
    const fields = { ...ids, companyId, customerId: contactId, start: from, end, source: 'instagram' };
    const { _id } = await Appointment.create(fields);
    const emitted = await emitAppointmentCreated(_id);
    if (!emitted) console.warn('[book_appointment] Failed to emit socket event', String(_id));
    return { success: true, appointment_id: String(_id), message: 'The appointment is booked.' };
  },

  async reschedule_appointment({ appointment_id, start, duration_minutes = 60 }, { companyId }) {
    const from = new Date(start);
    const end = new Date(from.getTime() + duration_minutes * 60_000);
    await Appointment.updateOne({ _id: appointment_id, companyId }, { start: from, end });
    const emitted = await emitAppointmentUpdated(appointment_id);
    if (!emitted) console.warn('[reschedule_appointment] Failed to emit socket event', appointment_id);
    return { success: true, appointment_id, message: 'The appointment is moved.' };
  },

  async cancel_appointment({ appointment_id, reason }, { companyId }) {
    const fields = { status: 'canceled', canceledAt: new Date(), cancelReason: reason };
    await Appointment.updateOne({ _id: appointment_id, companyId }, fields);
    const emitted = await emitAppointmentCanceled(appointment_id);
    if (!emitted) console.warn('[cancel_appointment] Failed to emit socket event', appointment_id);
    return { success: true, appointment_id, message: 'The appointment is canceled.' };
  },
};

await mongoose.connect(config.mongoUri);
for await (const line of createInterface({ input: process.stdin })) {
  const { tool, args, context } = JSON.parse(line);
  console.log(JSON.stringify(await handlers[tool](args, context)));
}
await mongoose.disconnect();
