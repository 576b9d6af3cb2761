import type { AppointmentSnapshot, Id, IsoDate } from './appointment.ts';
import type { AppointmentEvent } from './events.ts';
import type { BatchItem } from './http.ts';

/**
 * A stream position: a point in a company log.
 *
 * The company log numbers the live emissions of one company: 1, 2, 3, … without gaps. The highest offset is the head. A
 * dashboard at `{ epoch: 'A', offset: 3 }` has seen everything up to emission 3, so the next live emission has offset 4. If it
 * receives offset 6 instead, it has missed 4 and 5 and requests a catch-up from offset 3.
 */
export interface StreamPosition {
  /**
   * Names one history of the company log. It changes whenever offsets could be reused: if the log is lost, or if Redis restarts
   * or fails over. Offsets of different epochs are not comparable: a dashboard at offset 3 of epoch A must not take offset 4 of
   * epoch B for the next one.
   */
  epoch: string;
  /** Offset of an emission in the company log. The first one is 1; 0 is the position before it. */
  offset: number;
}

/**
 * First argument of the appointment events that carry a snapshot: what the appointment is now.
 *
 * @typeParam A the snapshot of the server's model description, if it has another one than the default
 */
export interface AppointmentPayload<A = AppointmentSnapshot> {
  appointment: A;
}

/** Identifies a deleted appointment. It contains nothing else: a deletion carries no personal data. */
export interface DeletedAppointment {
  _id: Id;
  companyId: Id;
}

/**
 * Why a screen must remove an appointment that still exists.
 *
 * - `out-of-scope`: this screen may no longer see it.
 */
export type DeletionReason = 'out-of-scope';

/**
 * First argument of `appointment:deleted`. Remove the appointment from the screen, in the order of `meta` like any other event:
 * a snapshot with a lower `(offset, read)` must not bring it back.
 */
export interface DeletionPayload {
  appointment: DeletedAppointment;
  /** Omitted if the appointment no longer exists. */
  reason?: DeletionReason;
}

/**
 * Second argument of every appointment event: why it was sent, and its order.
 *
 * Within one epoch, `(offset, read)` orders all snapshots of an appointment. Show a snapshot only if its pair is higher than
 * the pair of the snapshot on the screen:
 *
 * @example
 * ```ts
 * // Live emission 7, then a replay after it: the replay is newer, although both have offset 7.
 * const live = { epoch: 'A', offset: 7, read: 0 };
 * const replay = { epoch: 'A', offset: 7, read: 1 };
 * const isNewer = (a: typeof live, b: typeof live) =>
 *   a.offset > b.offset || (a.offset === b.offset && a.read > b.read);
 * isNewer(replay, live); // true
 * ```
 */
export interface EmissionMeta {
  /** The id from the 202 reply. A dashboard may receive an emission twice, so do not use it to drop duplicates. */
  emissionId: string;
  /** The name of the event. */
  event: AppointmentEvent;
  /** See {@link StreamPosition.epoch}. */
  epoch: string;
  /** A live emission has its own offset. A replay or a list row has the offset of the head when its snapshot was taken. */
  offset: number;
  /** 0 for a live emission. For replays and list rows, a counter that increases with each of them. */
  read: number;
  /** Number of the attempt that published the emission, from 1. */
  attempt: number;
  /** When the API accepted the emission. In a replay: when it was replayed. */
  acceptedAt: IsoDate;
  publishedAt: IsoDate;
  /** True if a gateway sent the event during a catch-up, false if it is live. */
  replayed: boolean;
  /** W3C Trace Context of a live emission. Set if the pipeline reports its trace to OpenTelemetry. */
  traceparent?: string;
}

/**
 * Why a dashboard must reload its list.
 *
 * - `trimmed`: the company log no longer contains the missed emissions;
 * - `epoch`: the epoch has changed, so offsets started again;
 * - `too-many`: more emissions were missed than a replay may send; loading the list is faster;
 * - `gone`: a missed appointment cannot be loaded;
 * - `invalid`: the given position, or an entry of the company log, could not be understood;
 * - `unavailable`: Redis or MongoDB did not answer in time; another catch-up may succeed;
 * - `rate-limited`: the dashboard requested too many catch-ups; a later one may succeed;
 * - `scope`: a renewed token has another scope. Load the list with that token, and remove what it does not contain.
 */
export type ReloadReason =
  'trimmed' | 'epoch' | 'too-many' | 'gone' | 'invalid' | 'unavailable' | 'rate-limited' | 'scope';

/**
 * Payload of `emissions:position`, and acknowledgement of `emissions:catch-up`: the head of the company log.
 *
 * The server sends it after a dashboard joins, after a catch-up, and periodically. A dashboard that finds a higher offset
 * here than its own has missed an emission.
 *
 * @example
 * ```ts
 * // All missed emissions were replayed before this message:
 * const complete = { epoch: 'A', offset: 12, recovered: true };
 * // Some cannot be replayed. Reload the list and continue at its position:
 * const incomplete = { epoch: 'B', offset: 2, recovered: false, reason: 'epoch' };
 * ```
 */
export interface PositionUpdate extends StreamPosition {
  /** False if some missed emissions cannot be replayed: the dashboard must reload its list. */
  recovered: boolean;
  /** Set if `recovered` is false. */
  reason?: ReloadReason;
}

/**
 * Payload of `emissions:alive`, the heartbeat of a gateway. A gateway sends it only while it is subscribed to Redis. A
 * dashboard that receives neither a position nor a heartbeat for 25 s must not claim to be live.
 */
export interface Alive {
  /** False while MongoDB cannot be read. Changes do not reach any dashboard then. */
  reads: boolean;
}

/**
 * What a user may see of a company's appointments: the claim `scope` of a dashboard's token, or the result of `scopeOf`. Each
 * key restricts further. A token without a scope shows the whole company.
 *
 * It is read strictly. A scope that is empty, has an unknown key, or names something that is not an id or not a path of the
 * snapshot is refused: `SCOPE_INVALID` in the handshake, 403 from the list.
 *
 * @example
 * ```ts
 * // A groomer: own appointments, without e-mail and phone of the customers.
 * const scope = { staffId: '65f0c0ffee65f0c0ffee00c0', hide: ['customerId.email', 'customerId.phone'] };
 * ```
 */
export interface Scope {
  /** Only appointments of these staff members. An empty list matches no appointment. */
  staffId?: Id | readonly Id[];
  /** Only appointments at these locations. An empty list matches no appointment. */
  locationId?: Id | readonly Id[];
  /**
   * Paths of the snapshot, such as `notes`, `customerId` or `customerId.email`, which are sent as `null`. `_id`, `companyId` and
   * the `_id` of a reference cannot be hidden; hide the reference instead.
   */
  hide?: readonly string[];
}

/**
 * Payload of `emissions:passed`: everything up to `offset` was sent on this socket, or was not for it. The dashboard's position
 * becomes `offset`, if its own is lower in the same epoch, without a catch-up.
 *
 * A socket with a scope receives it at most once a second, and not before its first position or while the gateway itself may
 * have missed an emission. Offsets are consecutive otherwise: if another event must be sent within that second, the gateway
 * sends `appointment:deleted` with the reason `out-of-scope` for each emission in between.
 */
export type Passed = StreamPosition;

/** Argument of `emissions:token`. */
export interface TokenRenewal {
  /** A JWT of the same company and, if the present token has one, the same `sub`. */
  token: string;
}

/**
 * Acknowledgement of `emissions:token`.
 *
 * If the new token has another scope, `emissions:position` with `recovered: false` and the reason `scope` follows. If
 * `ok` is false, the present token remains in use until it expires.
 */
export type TokenReply =
  | { ok: true; expiresAt: IsoDate }
  | {
      ok: false;
      /**
       * `TOKEN_INVALID`: also if the company or the user is another one, or if the server does not verify tokens itself.
       * `SCOPE_INVALID`, `INVALID_REQUEST`: not usable. `RATE_LIMITED`, `TOKEN_KEYS_UNAVAILABLE`: try again later.
       */
      code: string;
      /** Text for a person. */
      message: string;
    };

/** Payload of `emissions:seen`: which emission is on the screen. Copy both fields from its `meta`. There is no reply. */
export interface Seen {
  emissionId: string;
  acceptedAt: IsoDate;
}

export type AppointmentListener<A = AppointmentSnapshot> = (
  payload: AppointmentPayload<A>,
  meta: EmissionMeta,
) => void;
export type DeletionListener = (payload: DeletionPayload, meta: EmissionMeta) => void;

/** Events that the server sends to dashboards, for typing a Socket.IO server, client or emitter. */
export interface DashboardServerEvents {
  'appointment:created': AppointmentListener;
  'appointment:updated': AppointmentListener;
  'appointment:canceled': AppointmentListener;
  'appointment:deleted': DeletionListener;
  'emissions:position': (position: PositionUpdate) => void;
  'emissions:alive': (alive: Alive) => void;
  'emissions:passed': (passed: Passed) => void;
}

/** Events that dashboards send to the server. */
export interface DashboardClientEvents {
  'emissions:catch-up': (from: StreamPosition, acknowledge: (position: PositionUpdate) => void) => void;
  'emissions:seen': (seen: Seen) => void;
  'emissions:token': (renewal: TokenRenewal, acknowledge: (reply: TokenReply) => void) => void;
}

/**
 * The `auth` object of a dashboard's handshake.
 *
 * @example
 * ```ts
 * const socket = io('https://api.example.com', { auth: { token, position: { epoch: 'A', offset: 3 } } });
 * ```
 */
export interface DashboardAuth {
  /** JWT with the claims `companyId` and `exp`. The server disconnects the socket when the token expires. */
  token: string;
  /** Position that the dashboard has reached. The server replays everything after it. Omit it on the first connection. */
  position?: StreamPosition;
  /**
   * Asks an embedded pipeline for positions, heartbeats and replays. Without this field and without `position`, it sends the socket
   * only appointment events. The stand-alone gateway ignores the field.
   */
  positions?: true;
}

/**
 * Reply of `GET /api/v1/dashboard/appointments`: the appointments of a company in a range of time, and the head of the company
 * log before they were read. Each row has its own `(offset, read)`, which compares with those in {@link EmissionMeta}.
 */
export interface AppointmentList<A = AppointmentSnapshot> extends StreamPosition {
  appointments: { appointment: A; offset: number; read: number }[];
}

/** Argument of `emit` in the `/internal` namespace: the request for one emission. */
export interface EmitRequest extends BatchItem {
  /** Same as the HTTP header `Idempotency-Key`. */
  idempotencyKey?: string;
}

/** Acknowledgement of `emit`: the body that the HTTP route would have sent, and its status. */
export interface EmitReply {
  status: number;
  success: boolean;
  [field: string]: unknown;
}

/** Events that services send in the `/internal` namespace. */
export interface InternalClientEvents {
  emit: (request: EmitRequest, acknowledge: (reply: EmitReply) => void) => void;
}
