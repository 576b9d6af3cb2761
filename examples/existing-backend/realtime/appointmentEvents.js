import { logger } from '../logger.js';

function send(io, companyId, event, payload) {
  try {
    io.to(`company:${companyId}`).emit(event, { appointment: payload.appointment });
  } catch (error) {
    logger.error(`Failed to emit ${event}`, { error: error.message });
  }
}

export function emitAppointmentCreated(io, companyId, payload) {
  send(io, companyId, 'appointment:created', payload);
}

export function emitAppointmentUpdated(io, companyId, payload) {
  send(io, companyId, 'appointment:updated', payload);
}

export function emitAppointmentCanceled(io, companyId, payload) {
  send(io, companyId, 'appointment:canceled', payload);
}
