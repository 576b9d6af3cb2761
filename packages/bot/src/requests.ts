import { randomUUID } from 'node:crypto';
import {
  type AppointmentEvent,
  type BatchItem,
  type EmitRequest,
  EVENT_SLUGS,
} from '@appointment-emissions/contracts';
import { classifyBatchReply, classifySingleReply, type ClassifyReply } from './attempt-result.ts';

const BASE_PATH = '/api/v1/internal/socket';

/** A single emission or a batch, in the form of each transport. All attempts use the same request. */
export interface DeliveryRequest {
  path: string;
  body: string;
  /**
   * The same for all attempts over both transports. An attempt without a reply may have been accepted; with this key its
   * repetition is the same emission.
   */
  idempotencyKey: string;
  classify: ClassifyReply;
  /** One request for each emission: the `/internal` namespace has no batches. */
  socketRequests: EmitRequest[];
  /** W3C Trace Context, a header of the HTTP attempts. */
  traceparent?: string;
}

export function singleRequest(emission: BatchItem): DeliveryRequest {
  const { event, ...ids } = emission;
  const idempotencyKey = randomUUID();
  return {
    path: `${BASE_PATH}/${slugOf(event)}`,
    body: JSON.stringify(ids),
    idempotencyKey,
    classify: classifySingleReply,
    socketRequests: [{ ...emission, idempotencyKey }],
  };
}

export function batchRequest(emissions: BatchItem[]): DeliveryRequest {
  const idempotencyKey = randomUUID();
  return {
    path: `${BASE_PATH}/batch`,
    body: JSON.stringify({ emissions }),
    idempotencyKey,
    classify: classifyBatchReply,
    socketRequests: emissions.map((emission, index) => ({
      ...emission,
      idempotencyKey: `${idempotencyKey}-${index}`,
    })),
  };
}

function slugOf(event: AppointmentEvent): string {
  const found = Object.entries(EVENT_SLUGS).find(([, named]) => named === event);
  // EVENT_SLUGS contains every event; a test ensures it.
  return found?.[0] ?? event;
}
