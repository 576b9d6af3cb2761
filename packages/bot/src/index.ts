import type { BatchEmission } from './batch.ts';
import { createRealtimeAppointments, type RealtimeAppointments } from './realtime-appointments.ts';

export type { BatchEmission } from './batch.ts';
export { createRealtimeAppointments, type RealtimeAppointments } from './realtime-appointments.ts';
export type { RealtimeAppointmentsOptions } from './options.ts';
export type {
  MessageFlowFunction,
  MessageFlowLevel,
  MessageFlowLogger,
  MessageFlowMethods,
} from './message-flow.ts';
export { createFileLogger as createMessageFlowLogger, type FileLogger } from './message-flow-file.ts';
export { createToolHandlers, type ToolHandlers, type ToolResult } from './tools/handlers.ts';
export { readArguments, type ReadArguments } from './tools/read-arguments.ts';
export {
  type ArgumentSchema,
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
  CustomerBookingService,
  ReferenceName,
  RefusalReason,
  RescheduleRequest,
} from './tools/booking-service.ts';

let ready: RealtimeAppointments | undefined;

/** Reads `BACKEND_API_URL`, `INTERNAL_SERVICE_API_KEY` and `LOG_DIR` at the first call. */
function fromEnvironment(): RealtimeAppointments {
  ready ??= createRealtimeAppointments({
    backendUrl: process.env.BACKEND_API_URL,
    apiKey: process.env.INTERNAL_SERVICE_API_KEY,
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

/** @see RealtimeAppointments.emitAppointmentDeleted */
export function emitAppointmentDeleted(appointmentId: unknown, companyId: unknown): Promise<boolean> {
  return fromEnvironment().emitAppointmentDeleted(appointmentId, companyId);
}

/** @see RealtimeAppointments.emitBatch */
export function emitBatch(emissions: readonly BatchEmission[]): Promise<boolean> {
  return fromEnvironment().emitBatch(emissions);
}

/** Closes the connections and the log file of the functions above. A later call opens them again and reads the environment again. */
export async function closeRealtimeAppointments(): Promise<void> {
  const closing = ready;
  ready = undefined;
  await closing?.close();
}
