import { config } from '../../config.js';
import { logger } from '../../logger.js';

const emit = (event) => async (appointmentId) => {
  try {
    const url = `${config.backend.apiUrl}/api/v1/internal/socket/${event.replace(':', '-')}`;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': config.security.internalApiKey },
      body: JSON.stringify({ appointmentId: String(appointmentId) }),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    logger.messageFlow.info(`Successfully emitted ${event} socket event`, { appointmentId });
    return true;
  } catch (error) {
    logger.messageFlow.error('Failed to emit socket event', { appointmentId, error: error.message });
    return false;
  }
};

export const emitAppointmentCreated = emit('appointment:created');
export const emitAppointmentUpdated = emit('appointment:updated');
export const emitAppointmentCanceled = emit('appointment:canceled');
