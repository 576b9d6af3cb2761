import mongoose from 'mongoose';
import { Appointment, APPOINTMENT_PATHS, Reservation } from '../models/index.js';
import {
  emitAppointmentCanceled,
  emitAppointmentCreated,
  emitAppointmentUpdated,
} from '../realtime/appointmentEvents.js';
import { getIo } from '../realtime/socket.js';
import { saveAppointment } from './reservations.js';

/** Runs `work` in a transaction. If MongoDB repeats the transaction, `work` runs again. */
async function inTransaction(work) {
  const session = await mongoose.startSession();
  try {
    return await session.withTransaction(() => work(session));
  } finally {
    await session.endSession();
  }
}

async function announce(emit, appointmentId) {
  const appointment = await Appointment.findById(appointmentId).populate(APPOINTMENT_PATHS);
  emit(getIo(), appointment.companyId, { appointment });
  return appointment;
}

export async function bookAppointment(companyId, fields) {
  const appointmentId = await inTransaction(async (session) => {
    const appointment = new Appointment({ ...fields, companyId });
    await saveAppointment(appointment, session);
    return appointment._id;
  });
  return announce(emitAppointmentCreated, appointmentId);
}

/** @returns the changed appointment; nothing if the company has none with this id */
export async function editAppointment(companyId, _id, fields) {
  const isFound = await inTransaction(async (session) => {
    const appointment = await Appointment.findOne({ _id, companyId }).session(session);
    if (!appointment) return false;
    await saveAppointment(appointment.set(fields), session);
    return true;
  });
  return isFound ? announce(emitAppointmentUpdated, _id) : undefined;
}

/** @returns the canceled appointment; nothing if the company has none with this id */
export async function cancelAppointment(companyId, _id, { status = 'canceled', reason }) {
  const isFound = await inTransaction(async (session) => {
    const appointment = await Appointment.findOne({ _id, companyId }).session(session);
    if (!appointment) return false;
    await saveAppointment(appointment.set({ status, canceledAt: new Date(), cancelReason: reason }), session);
    return true;
  });
  return isFound ? announce(emitAppointmentCanceled, _id) : undefined;
}

export async function deleteAppointment(companyId, _id) {
  return inTransaction(async (session) => {
    const { deletedCount } = await Appointment.deleteOne({ _id, companyId }, { session });
    if (deletedCount === 0) return false;
    await Reservation.deleteMany({ appointmentId: _id }, { session });
    return true;
  });
}
