import { createRealtimeAppointments } from '@appointment-emissions/bot';
import { config } from '../config.js';
import { logger } from './logger.js';

export const {
  emitAppointmentCreated,
  emitAppointmentUpdated,
  emitAppointmentCanceled,
  emitAppointmentDeleted,
  emitBatch,
  close: closeRealtimeAppointments,
} = createRealtimeAppointments({ config, logger: logger.messageFlow });
