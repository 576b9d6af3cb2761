import express, { Router } from 'express';
import { requireInternalKey } from '../auth.js';
import { Appointment, APPOINTMENT_PATHS } from '../models/index.js';
import {
  emitAppointmentCanceled,
  emitAppointmentCreated,
  emitAppointmentUpdated,
} from '../realtime/appointmentEvents.js';

export const internalRoutes = Router();
internalRoutes.use(requireInternalKey, express.json());

const announce = (emit, eventType) => async (req, res) => {
  const appointment = await Appointment.findById(req.body.appointmentId).populate(APPOINTMENT_PATHS);
  if (!appointment) {
    res.status(404).json({ error: { code: 'NOT_FOUND', message: 'There is no such appointment' } });
    return;
  }
  emit(appointment.companyId, { appointment });
  res.json({ success: true, message: 'Event emitted', eventType });
};

internalRoutes.post('/socket/appointment-created', announce(emitAppointmentCreated, 'appointment:created'));
internalRoutes.post('/socket/appointment-updated', announce(emitAppointmentUpdated, 'appointment:updated'));
internalRoutes.post(
  '/socket/appointment-canceled',
  announce(emitAppointmentCanceled, 'appointment:canceled'),
);
