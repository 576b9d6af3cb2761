/**
 * Appointment events for dashboards: typed, in order, and complete after a lost connection.
 *
 * @packageDocumentation
 */
export {
  connectDashboard,
  type Dashboard,
  type DashboardEvents,
  type DashboardState,
} from './connect-dashboard.ts';
export type { AppointmentPatch } from './edits/edited-screen.ts';
export { fetchAppointments, ListError, type FetchAppointmentsOptions } from './fetch-appointments.ts';
export type { DashboardOptions, LoadSnapshot, ShowTrace, Timings } from './options.ts';
export type { ShownAppointment } from './screen.ts';
export type {
  AppointmentEvent,
  AppointmentList,
  AppointmentPayload,
  AppointmentSnapshot,
  DeletedAppointment,
  DeletionPayload,
  DeletionReason,
  EmissionMeta,
  StreamPosition,
  ReloadReason,
} from '@appointment-emissions/contracts';
