import type { AppointmentEvent } from './events.ts';
import type { Id } from './appointment.ts';

/**
 * Body of the 202 reply of a single-emission route. The emission is stored; a worker publishes it within milliseconds.
 *
 * @example
 * ```json
 * {
 *   "success": true,
 *   "event": "appointment:created",
 *   "appointmentId": "65f0c0ffee65f0c0ffee00c0",
 *   "emissionId": "…",
 *   "statusUrl": "/api/v1/internal/socket/emissions/…",
 *   "message": "appointment:created was accepted",
 *   "eventType": "appointment:created"
 * }
 * ```
 */
export interface AcceptedReply {
  success: true;
  event: AppointmentEvent;
  appointmentId: Id;
  emissionId: string;
  /** Path of the emission's timeline on the same server. */
  statusUrl: string;
  /** Text for a person. */
  message: string;
  /** Same as `event`, for callers of the former API. */
  eventType: AppointmentEvent;
}

/** One item of a batch: which event to emit for which appointment. */
export interface BatchItem {
  event: AppointmentEvent;
  appointmentId: Id;
  /** For `appointment:deleted` only, since its document may be gone: the company that the appointment belongs to. */
  companyId?: Id;
}

/** Result of one item of a batch. */
export interface BatchItemResult {
  /** Index of the item in the request. */
  index: number;
  /** The HTTP status that the single-emission route would have sent. */
  status: number;
  /** Set if the item was accepted. */
  emissionId?: string;
  /** Error code. Set if the item was rejected. */
  code?: string;
}

/** Body of the 202 reply of the batch route. The status is 202 even if every item was rejected: check `rejected`. */
export interface BatchReply {
  success: true;
  accepted: number;
  rejected: number;
  results: BatchItemResult[];
}

/**
 * Body of every error reply: RFC 9457 (`application/problem+json`).
 *
 * @example
 * ```ts
 * if (!reply.ok) {
 *   const { code, detail } = (await reply.json()) as ProblemReply;
 *   throw new Error(`${code}: ${detail}`);
 * }
 * ```
 */
export interface ProblemReply {
  type: string;
  title: string;
  status: number;
  detail: string;
  success: false;
  /** Stable error code, for programs to compare. All codes are listed in docs/reference/errors.md. */
  code: string;
  /** Same as `code` and `detail`, for callers of the former API. */
  error: { code: string; message: string };
  /** Details of a validation error, one entry for each invalid field. */
  errors?: unknown[];
}
