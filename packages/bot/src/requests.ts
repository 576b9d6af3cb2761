import { randomUUID } from 'node:crypto';
import { type AppointmentEvent, type EmitRequest, EVENT_SLUGS } from '@appointment-emissions/contracts';
import { classifyBatchReply, classifySingleReply, type ClassifyReply } from './attempt-result.ts';

const BASE_PATH = '/api/v1/internal/socket';

/** One thing to deliver, whichever way and however often it is tried. */
export interface EmissionRequest {
  path: string;
  body: string;
  /**
   * The same for every attempt and both ways. An attempt without an answer can have been accepted; with this key a
   * repetition of it becomes the same emission, not a second one.
   */
  idempotencyKey: string;
  judge: ClassifyReply;
  /** The same, as the `/internal` namespace takes it: one at a time. */
  overSocket: EmitRequest[];
}

export interface Emission {
  event: AppointmentEvent;
  appointmentId: string;
}

export function singleRequest({ event, appointmentId }: Emission): EmissionRequest {
  const idempotencyKey = randomUUID();
  return {
    path: `${BASE_PATH}/${slugOf(event)}`,
    body: JSON.stringify({ appointmentId }),
    idempotencyKey,
    judge: classifySingleReply,
    overSocket: [{ event, appointmentId, idempotencyKey }],
  };
}

export function batchRequest(emissions: Emission[]): EmissionRequest {
  const idempotencyKey = randomUUID();
  return {
    path: `${BASE_PATH}/batch`,
    body: JSON.stringify({ emissions }),
    idempotencyKey,
    judge: classifyBatchReply,
    overSocket: emissions.map((emission, index) => ({
      ...emission,
      idempotencyKey: `${idempotencyKey}-${index}`,
    })),
  };
}

function slugOf(event: AppointmentEvent): string {
  const found = Object.entries(EVENT_SLUGS).find(([, named]) => named === event);
  // EVENT_SLUGS names every event: held by a test.
  return found?.[0] ?? event;
}
