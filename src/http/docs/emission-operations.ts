import { z } from 'zod';
import { APPOINTMENT_DELETED, APPOINTMENT_UPDATED, EVENT_SLUGS } from '@appointment-emissions/contracts';
import type { ErrorCode } from '../../errors.ts';
import { EMISSIONS_PATH } from '../routes/emission-routes.ts';
import { emissionId, requestedAppointmentId } from './appointment-schemas.ts';
import * as emissions from './emission-schemas.ts';
import { BODY, EXAMPLES, KEY, type Operation, type Parameter } from './operation.ts';

const ACCEPTING: ErrorCode[] = [
  ...KEY,
  ...BODY,
  'INVALID_IDEMPOTENCY_KEY',
  'IDEMPOTENCY_IN_PROGRESS',
  'IDEMPOTENCY_KEY_REUSED',
  'DATABASE_ERROR',
  'QUEUE_UNAVAILABLE',
  'QUEUE_FULL',
];

const idempotencyKey: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'Up to 255 visible ASCII characters. A repeated request with the same body gets the same emission ids.',
  schema: z.string().regex(/^[\x21-\x7e]{1,255}$/),
};
const traceparent: Parameter = {
  name: 'traceparent',
  in: 'header',
  description: 'W3C Trace Context. It is stored with the emission and logged.',
  schema: z.string(),
};
const requestId: Parameter = {
  name: 'X-Request-Id',
  in: 'header',
  description:
    'An id for the logs: 1 to 128 letters, digits and `._:=+/-`. The response contains it, or a random id if it is missing or invalid.',
  schema: z.string(),
};
const HEADERS = [idempotencyKey, requestId, traceparent];
const REPLAYED = { 'Idempotency-Replayed': '`true` if an earlier request with this key was accepted.' };

const { appointmentId, companyId } = EXAMPLES;

const SINGLE_OPERATIONS = Object.entries(EVENT_SLUGS).map(([slug, event]): Operation => {
  const isDeletion = event === APPOINTMENT_DELETED;
  return {
    method: 'post',
    path: `${EMISSIONS_PATH}/${slug}`,
    id: slug.replace(/-(.)/, (_, letter: string) => letter.toUpperCase()),
    tag: 'Emissions',
    summary: `Emit ${event}`,
    description: isDeletion
      ? 'Removes the appointment from every dashboard of its company. If it still exists when a worker reads it, appointment:updated is sent instead.'
      : 'Sends the populated appointment to every dashboard of its company. If it no longer exists when a worker reads it, appointment:deleted is sent instead.',
    security: 'internalKey',
    parameters: HEADERS,
    body: isDeletion ? emissions.deletionRequest : emissions.singleRequest,
    example: { body: isDeletion ? { appointmentId, companyId } : { appointmentId } },
    replies: {
      202: {
        description: 'Accepted: the emission will be published, or listed as failed.',
        schema: emissions.acceptedReply,
        headers: { Location: "Path of the emission's timeline.", ...REPLAYED },
      },
    },
    errors: [
      ...ACCEPTING,
      'INVALID_APPOINTMENT_ID',
      ...(isDeletion
        ? (['INVALID_COMPANY_ID', 'COMPANY_MISMATCH'] as const)
        : (['APPOINTMENT_NOT_FOUND'] as const)),
    ],
  };
});

/** The bot's routes. */
export const EMISSION_OPERATIONS: readonly Operation[] = [
  ...SINGLE_OPERATIONS,
  {
    method: 'post',
    path: `${EMISSIONS_PATH}/batch`,
    id: 'emitBatch',
    tag: 'Emissions',
    summary: 'Emit up to 1,000 events',
    description:
      'They are published after live emissions. The status is 202 even if every item is rejected: check `results`.',
    security: 'internalKey',
    parameters: HEADERS,
    body: emissions.batchRequest,
    example: {
      body: {
        emissions: [
          { event: APPOINTMENT_UPDATED, appointmentId },
          { event: APPOINTMENT_DELETED, appointmentId, companyId },
        ],
      },
    },
    replies: {
      202: { description: 'The result of each item.', schema: emissions.batchReply, headers: REPLAYED },
    },
    errors: ACCEPTING,
  },
  {
    method: 'get',
    path: `${EMISSIONS_PATH}/emissions/{emissionId}`,
    id: 'readEmission',
    tag: 'Emissions',
    summary: 'Read the timeline of an emission',
    security: 'internalKey',
    parameters: [
      {
        name: 'emissionId',
        in: 'path',
        required: true,
        description: 'From the 202 reply.',
        schema: emissionId,
      },
    ],
    example: { path: { emissionId: EXAMPLES.emissionId } },
    replies: { 200: { description: 'The timeline.', schema: emissions.timelineReply } },
    errors: [...KEY, 'EMISSION_NOT_FOUND', 'QUEUE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: `${EMISSIONS_PATH}/emissions`,
    id: 'readEmissions',
    tag: 'Emissions',
    summary: 'Read the timelines of the last emissions of an appointment',
    security: 'internalKey',
    parameters: [
      {
        name: 'appointmentId',
        in: 'query',
        required: true,
        description: 'The appointment.',
        schema: requestedAppointmentId,
      },
    ],
    example: { query: { appointmentId } },
    replies: { 200: { description: 'The timelines.', schema: emissions.timelinesReply } },
    errors: [...KEY, 'INVALID_APPOINTMENT_ID', 'EMISSION_NOT_FOUND', 'QUEUE_UNAVAILABLE'],
  },
];
