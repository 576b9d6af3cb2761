import { z } from 'zod';
import {
  type AcceptedReply,
  APPOINTMENT_CREATED,
  type BatchItem,
  type BatchReply,
  type EmitReply,
  type ProblemReply,
} from '@appointment-emissions/contracts';
import { EMISSION_SOURCES } from '../../domain/emission-log.ts';
import { ERROR_CODES, type ErrorCode } from '../../errors.ts';
import { MAX_BATCH_ITEMS } from '../middleware/validate.ts';
import { EMISSIONS_PATH } from '../routes/emission-routes.ts';
import {
  appointmentId,
  emission,
  emissionId,
  event,
  instant,
  requestedAppointmentId,
  requestedCompanyId,
} from './appointment-schemas.ts';
import { EXAMPLES } from './operation.ts';

const success = z.literal(true);
const code = z
  .enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]])
  .meta({ id: 'ErrorCode', description: 'Stable. docs/reference/errors.md explains all codes.' });

export const problemReply = z
  .strictObject({
    type: z.string().meta({ examples: ['about:blank'] }),
    title: z.string().meta({ description: 'Name of the status.' }),
    status: z.int(),
    detail: z.string().meta({ description: 'Explanation for a person.' }),
    success: z.literal(false),
    code,
    error: z
      .strictObject({ code, message: z.string() })
      .meta({ description: 'Same as `code` and `detail`, for callers of the former API.' }),
    errors: z.array(z.unknown()).exactOptional().meta({ description: 'Validation errors by field.' }),
  })
  .meta({ id: 'Problem', description: 'An error, as in RFC 9457.' }) satisfies z.ZodType<ProblemReply>;

export const deletionRequest = z
  .strictObject({
    appointmentId: requestedAppointmentId,
    companyId: requestedCompanyId.meta({ description: 'The company that the appointment belonged to.' }),
  })
  .meta({ id: 'DeletionRequest' });

export const singleRequest = z
  .strictObject({ appointmentId: requestedAppointmentId })
  .meta({ id: 'SingleRequest' });

const accepted = {
  success,
  event,
  appointmentId,
  emissionId,
  statusUrl: z.string().meta({
    description: "Path of the emission's timeline.",
    examples: [`${EMISSIONS_PATH}/emissions/${EXAMPLES.emissionId}`],
  }),
  message: z
    .string()
    .meta({ description: 'Text for a person.', examples: [`${APPOINTMENT_CREATED} was accepted`] }),
  eventType: event.meta({ description: 'Same as `event`, for callers of the former API.' }),
};
export const acceptedReply = z
  .strictObject(accepted)
  .meta({ id: 'AcceptedReply' }) satisfies z.ZodType<AcceptedReply>;

const batchItem = z.strictObject(emission).meta({ id: 'BatchItem' }) satisfies z.ZodType<BatchItem>;

export const batchRequest = z
  .strictObject({
    emissions: z.array(batchItem).min(1).max(MAX_BATCH_ITEMS),
  })
  .meta({ id: 'BatchRequest', description: 'At most 128 kB.' });

export const batchReply = z
  .strictObject({
    success,
    accepted: z.int(),
    rejected: z.int(),
    results: z.array(
      z.strictObject({
        index: z.int(),
        status: z.int().meta({ description: 'Status that the route for one emission would return.' }),
        emissionId: emissionId.exactOptional(),
        code: code.exactOptional(),
      }),
    ),
  })
  .meta({
    id: 'BatchReply',
    description: 'One result for each item. A rejected item does not affect the others.',
  }) satisfies z.ZodType<BatchReply>;

const timeline = {
  emissionId,
  event: z.string(),
  appointmentId: z.string(),
  source: z.enum(EMISSION_SOURCES).meta({ description: 'What reported the write.' }),
  state: z.enum([
    'waiting',
    'prioritized',
    'delayed',
    'active',
    'completed',
    'failed',
    'unknown',
    'waiting-children',
  ]),
  acceptedAt: instant,
  attempts: z
    .array(z.strictObject({ attempt: z.int(), error: z.string().nullable() }))
    .meta({ description: 'Attempts that have ended.' }),
  startedAt: instant.nullable(),
  populatedAt: instant.nullable(),
  publishedAt: instant.nullable().meta({
    description:
      'When it was published. If a worker died afterwards: when the next worker found it in the company log.',
  }),
  endedAt: instant.nullable(),
  epoch: z.string().nullable(),
  offset: z.int().nullable(),
  gateways: z.int().nullable().meta({
    description:
      'Number of gateways that received it. It is null if it is unknown: on a Redis Cluster, and if an earlier run of the job published it.',
  }),
  traceparent: z.string().nullable(),
};
export const timelineReply = z.strictObject({ success, ...timeline }).meta({
  id: 'TimelineReply',
  description: 'Kept for one day after publication, for 14 days after failure.',
});
export const timelinesReply = z
  .strictObject({ success, appointmentId, emissions: z.array(z.strictObject(timeline)) })
  .meta({ id: 'TimelinesReply', description: 'At most ten, newest first.' });

export const emitReply = z
  .union([
    z.strictObject({ status: z.int(), ...accepted }),
    z.looseObject({
      status: z.int(),
      success: z.literal(false),
      code,
      error: z.strictObject({ code, message: z.string() }),
    }),
  ])
  .meta({
    id: 'EmitReply',
    description: 'The body of the HTTP reply, with its status.',
  }) satisfies z.ZodType<EmitReply>;
