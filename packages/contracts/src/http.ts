import type { AppointmentEvent } from './events.ts';
import type { Id } from './appointment.ts';

/** 202 of the single routes. */
export interface AcceptedReply {
  success: true;
  event: AppointmentEvent;
  appointmentId: Id;
  emissionId: string;
  /** Path of the emission's timeline on the same server. */
  statusUrl: string;
}

export interface BatchItemResult {
  index: number;
  status: number;
  emissionId?: string;
  code?: string;
}

/** 202 of the batch route, also where every item was rejected. */
export interface BatchReply {
  success: true;
  accepted: number;
  rejected: number;
  results: BatchItemResult[];
}

/** Every error: RFC 9457, `application/problem+json`. */
export interface ProblemReply {
  type: string;
  title: string;
  status: number;
  detail: string;
  success: false;
  /** Stable; the table is in docs/reference/errors.md. */
  code: string;
  errors?: unknown[];
}
