/**
 * The events that carry a snapshot.
 *
 * An event says why an emission was sent. The snapshot in it says what the appointment is now: an
 * `appointment:updated` may carry a canceled appointment, so read `status`, not the event's name.
 */
export const SNAPSHOT_EVENTS = [
  'appointment:created',
  'appointment:updated',
  'appointment:canceled',
] as const;

export const [APPOINTMENT_CREATED, APPOINTMENT_UPDATED, APPOINTMENT_CANCELED] = SNAPSHOT_EVENTS;

export type SnapshotEvent = (typeof SNAPSHOT_EVENTS)[number];

/**
 * The event that removes an appointment from a screen. It carries a {@link import('./socket.ts').DeletionPayload} instead of
 * a snapshot.
 */
export const APPOINTMENT_DELETED = 'appointment:deleted';

/** All appointment events. Socket events and jobs use the same names. */
export const APPOINTMENT_EVENTS = [...SNAPSHOT_EVENTS, APPOINTMENT_DELETED] as const;

export type AppointmentEvent = (typeof APPOINTMENT_EVENTS)[number];

/** Last path segment of each single-emission route: `POST /api/v1/internal/socket/appointment-created`. */
export const EVENT_SLUGS = {
  'appointment-created': 'appointment:created',
  'appointment-updated': 'appointment:updated',
  'appointment-canceled': 'appointment:canceled',
  'appointment-deleted': 'appointment:deleted',
} as const satisfies Record<string, AppointmentEvent>;

/** Server → dashboard: the head of the company log. The payload is a {@link import('./socket.ts').PositionUpdate}. */
export const POSITION_EVENT = 'emissions:position';
/** Server → dashboard: the gateway's heartbeat. The payload is an {@link import('./socket.ts').Alive}. */
export const ALIVE_EVENT = 'emissions:alive';
/**
 * Dashboard → server: requests a replay of all emissions after a {@link import('./socket.ts').StreamPosition}. The server
 * acknowledges with a {@link import('./socket.ts').PositionUpdate}.
 */
export const CATCH_UP_EVENT = 'emissions:catch-up';
/** Server → dashboards with a scope. The payload is a {@link import('./socket.ts').Passed}. */
export const PASSED_EVENT = 'emissions:passed';
/**
 * Dashboard → server: renews the token without a reconnect. The argument is a {@link import('./socket.ts').TokenRenewal}, the
 * acknowledgement a {@link import('./socket.ts').TokenReply}.
 */
export const TOKEN_EVENT = 'emissions:token';
/** Dashboard → server: reports that an emission is on the screen. Sent for a sample of the emissions only. */
export const SEEN_EVENT = 'emissions:seen';

export function isAppointmentEvent(value: unknown): value is AppointmentEvent {
  return (APPOINTMENT_EVENTS as readonly unknown[]).includes(value);
}
