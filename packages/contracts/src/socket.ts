import type { AppointmentSnapshot, Id, IsoDate } from './appointment.ts';
import type { AppointmentEvent } from './events.ts';

/** Where a screen stands in its company's log. */
export interface Place {
  /** Names one unbroken run of offsets; another epoch means that offsets can't be compared. */
  epoch: string;
  /** Consecutive per company, from 1. */
  offset: number;
}

/** First argument of every appointment event. */
export interface AppointmentPayload {
  appointment: AppointmentSnapshot;
}

/** Second argument of every appointment event. */
export interface EmissionMeta {
  emissionId: string;
  event: AppointmentEvent;
  epoch: string;
  offset: number;
  /** 0 for a live emission; (offset, read) orders all snapshots of an appointment within an epoch. */
  read: number;
  /** 1 for the first attempt. */
  attempt: number;
  acceptedAt: IsoDate;
  publishedAt: IsoDate;
  /** True where a gateway sent it again to a dashboard that had missed it. */
  replayed: boolean;
}

/** Why a dashboard must reload its list. */
export type ReloadReason =
  'trimmed' | 'epoch' | 'too-many' | 'gone' | 'invalid' | 'unavailable' | 'rate-limited';

/** `emissions:position`, and the acknowledgement of `emissions:catch-up`. */
export interface Position extends Place {
  /** False: what was missed can't be replayed, reload the list. */
  recovered: boolean;
  reason?: ReloadReason;
}

/**
 * `emissions:alive`: the heartbeat of a gateway that receives what is published. None is sent while it does not: a
 * dashboard that receives neither a position nor a heartbeat for 25 s must not call itself live.
 */
export interface Alive {
  /** False while MongoDB cannot be read: changes reach no dashboard. */
  reads: boolean;
}

/** `emissions:seen`: which emission came onto the screen; both fields as its `meta` had them. No answer. */
export interface Seen {
  emissionId: string;
  acceptedAt: IsoDate;
}

export type AppointmentListener = (payload: AppointmentPayload, meta: EmissionMeta) => void;

export interface DashboardServerEvents {
  'appointment:created': AppointmentListener;
  'appointment:updated': AppointmentListener;
  'appointment:canceled': AppointmentListener;
  'emissions:position': (position: Position) => void;
  'emissions:alive': (alive: Alive) => void;
}

export interface DashboardClientEvents {
  'emissions:catch-up': (from: Place, acknowledge: (position: Position) => void) => void;
  'emissions:seen': (seen: Seen) => void;
}

/** What a dashboard hands over when it connects. */
export interface DashboardAuth {
  /** JWT with `companyId` and `exp`. */
  token: string;
  /** Where it stood before, if it was connected or has loaded the list. */
  position?: Place;
}

/** Answer of `GET /api/v1/dashboard/appointments`. */
export interface AppointmentList extends Place {
  appointments: { appointment: AppointmentSnapshot; offset: number; read: number }[];
}

/** One emission asked of the `/internal` namespace. */
export interface EmitRequest {
  event: AppointmentEvent;
  appointmentId: Id;
  idempotencyKey?: string;
}

/** HTTP's body plus its status. */
export interface EmitReply {
  status: number;
  success: boolean;
  [field: string]: unknown;
}

export interface InternalClientEvents {
  emit: (request: EmitRequest, acknowledge: (reply: EmitReply) => void) => void;
}
