/** The three things that happen to an appointment; also the names of the socket events and of the jobs. */
export const APPOINTMENT_EVENTS = [
  'appointment:created',
  'appointment:updated',
  'appointment:canceled',
] as const;

/** One by one, for code that picks. */
export const [APPOINTMENT_CREATED, APPOINTMENT_UPDATED, APPOINTMENT_CANCELED] = APPOINTMENT_EVENTS;

export type AppointmentEvent = (typeof APPOINTMENT_EVENTS)[number];

/** Last path segment of each single-emission route: `POST /api/v1/internal/socket/<slug>`. */
export const EVENT_SLUGS = {
  'appointment-created': 'appointment:created',
  'appointment-updated': 'appointment:updated',
  'appointment-canceled': 'appointment:canceled',
} as const satisfies Record<string, AppointmentEvent>;

/** Server → dashboard: the head of the company's log. */
export const POSITION_EVENT = 'emissions:position';
/** Server → dashboard, at least each 10 s: the gateway receives what is published. */
export const ALIVE_EVENT = 'emissions:alive';
/** Dashboard → server, acknowledged with a {@link import('./socket.ts').Position}: replay what was missed. */
export const CATCH_UP_EVENT = 'emissions:catch-up';

/** Dashboard → server, a sample: an emission is on the screen now. */
export const SEEN_EVENT = 'emissions:seen';

export function isAppointmentEvent(value: unknown): value is AppointmentEvent {
  return (APPOINTMENT_EVENTS as readonly unknown[]).includes(value);
}
