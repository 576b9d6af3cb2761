import type { AppointmentEvent } from '@appointment-emissions/contracts';
import { createRealtimeAppointments, type RealtimeAppointments } from './realtime-appointments.ts';

export { createRealtimeAppointments, type RealtimeAppointments } from './realtime-appointments.ts';
export type { RealtimeAppointmentsOptions } from './options.ts';
export type { MessageFlowLevel, MessageFlowLogger } from './message-flow.ts';
export { createFileLogger as createMessageFlowLogger } from './message-flow-file.ts';
export { createToolHandlers, type ToolHandlers, type ToolResult } from './tools/handlers.ts';
export {
  SLOT_MINUTES,
  TOOL_DEFINITIONS,
  toOpenAiTools,
  type ToolDefinition,
  type ToolName,
} from './tools/definitions.ts';
export type {
  BookedAppointment,
  BookingOutcome,
  BookingService,
  BookRequest,
  ReferenceName,
  RefusalReason,
  RescheduleRequest,
} from './tools/booking-service.ts';

let ready: RealtimeAppointments | undefined;

/** Made at the first call, from `BACKEND_API_URL`, `INTERNAL_SERVICE_API_KEY` and `LOG_DIR` as they are then. */
function fromEnvironment(): RealtimeAppointments {
  ready ??= createRealtimeAppointments({
    backendUrl: process.env.BACKEND_API_URL,
    // The backend may be given several, by commas, while they are rotated; the first is the newest.
    apiKey: process.env.INTERNAL_SERVICE_API_KEY?.split(',').find((key) => key.trim() !== ''),
    logDir: process.env.LOG_DIR,
  });
  return ready;
}

/** @see RealtimeAppointments.emitAppointmentCreated */
export function emitAppointmentCreated(appointmentId: unknown): Promise<boolean> {
  return fromEnvironment().emitAppointmentCreated(appointmentId);
}

/** @see RealtimeAppointments.emitAppointmentUpdated */
export function emitAppointmentUpdated(appointmentId: unknown): Promise<boolean> {
  return fromEnvironment().emitAppointmentUpdated(appointmentId);
}

/** @see RealtimeAppointments.emitAppointmentCanceled */
export function emitAppointmentCanceled(appointmentId: unknown): Promise<boolean> {
  return fromEnvironment().emitAppointmentCanceled(appointmentId);
}

/** @see RealtimeAppointments.emitBatch */
export function emitBatch(
  emissions: readonly { event: AppointmentEvent; appointmentId: unknown }[],
): Promise<boolean> {
  return fromEnvironment().emitBatch(emissions);
}

/** Ends what the functions above opened; a call after it starts anew, from the environment as it is then. */
export async function closeRealtimeAppointments(): Promise<void> {
  const closing = ready;
  ready = undefined;
  await closing?.close();
}
