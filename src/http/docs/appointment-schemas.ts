import { z } from 'zod';
import {
  type Alive,
  APPOINTMENT_EVENTS,
  type AppointmentList,
  type AppointmentPayload,
  APPOINTMENT_DELETED,
  type DashboardAuth,
  type DeletionPayload,
  type EmissionMeta,
  type EmitRequest,
  type StreamPosition,
  type PositionUpdate,
  type Seen,
  type TokenRenewal,
  type TokenReply,
} from '@appointment-emissions/contracts';
import { DEFAULT_MODEL } from '../../model/default-model.ts';
import { createSnapshotSchema } from '../../model/snapshot-schema.ts';
import { EXAMPLES } from './operation.ts';

/*
 * Schemas of messages between processes, for the documents only. The compiler compares them with the contracts.
 */

const objectId = (pattern: RegExp, description: string, example: string) =>
  z
    .string()
    .regex(pattern)
    .meta({ description, examples: [example] });
const SENT_ID = /^[0-9a-f]{24}$/;
/** In a request, letters of both cases are accepted. */
const RECEIVED_ID = /^[0-9a-fA-F]{24}$/;

export const appointmentId = objectId(SENT_ID, 'An ObjectId.', EXAMPLES.appointmentId);
export const companyId = objectId(SENT_ID, 'An ObjectId.', EXAMPLES.companyId);
export const requestedAppointmentId = objectId(RECEIVED_ID, 'An ObjectId.', EXAMPLES.appointmentId);
export const requestedCompanyId = objectId(RECEIVED_ID, 'An ObjectId.', EXAMPLES.companyId);
export const emissionId = z.string().meta({ examples: [EXAMPLES.emissionId] });
export const instant = z.string().meta({ format: 'date-time', examples: [EXAMPLES.instant] });
export const event = z.enum(APPOINTMENT_EVENTS).meta({ id: 'AppointmentEvent' });

/** Placeholder: `createSchemaCollection` replaces it with the schema of the configured model. */
const appointmentSnapshot = createSnapshotSchema(DEFAULT_MODEL);

const position = {
  epoch: z.string().meta({
    description: 'Names one history of the company log. It changes whenever offsets could be reused.',
    examples: [EXAMPLES.epoch],
  }),
  offset: z
    .int()
    .min(0)
    .meta({ description: 'Consecutive per company, from 1.', examples: [12] }),
};
const read = z
  .int()
  .min(0)
  .meta({
    description:
      '0 for a live emission. (offset, read) orders all snapshots of an appointment within an epoch.',
    examples: [0],
  });

export const streamPosition = z.strictObject(position).meta({
  id: 'StreamPosition',
  description: 'A position in a company log. A dashboard at a position has everything up to it.',
}) satisfies z.ZodType<StreamPosition>;

export const positionUpdate = z
  .strictObject({
    ...position,
    recovered: z
      .boolean()
      .meta({ description: 'False: missed emissions cannot be replayed. Load the list again.' }),
    reason: z
      .enum(['trimmed', 'epoch', 'too-many', 'gone', 'invalid', 'unavailable', 'rate-limited', 'scope'])
      .exactOptional(),
  })
  .meta({
    id: 'PositionUpdate',
    description: 'The head of a company log.',
  }) satisfies z.ZodType<PositionUpdate>;
export const alive = z
  .strictObject({
    reads: z
      .boolean()
      .meta({ description: 'False while MongoDB cannot be read: changes reach no dashboard.' }),
  })
  .meta({ id: 'Alive' }) satisfies z.ZodType<Alive>;

export const appointmentList = z
  .strictObject({
    ...position,
    appointments: z.array(
      z.strictObject({ appointment: appointmentSnapshot, offset: position.offset, read }),
    ),
  })
  .meta({
    id: 'AppointmentList',
    description:
      'Confirmed snapshots. Connect with the stream position of the list to receive everything that follows.',
  }) satisfies z.ZodType<AppointmentList>;

export const appointmentPayload = z
  .strictObject({ appointment: appointmentSnapshot })
  .meta({ id: 'AppointmentPayload' }) satisfies z.ZodType<AppointmentPayload>;

export const deletionPayload = z
  .strictObject({
    appointment: z.strictObject({ _id: appointmentId, companyId }),
    reason: z
      .enum(['out-of-scope'])
      .exactOptional()
      .meta({ description: 'Set if the appointment still exists, but this screen may no longer see it.' }),
  })
  .meta({ id: 'DeletionPayload' }) satisfies z.ZodType<DeletionPayload>;

export const emissionMeta = z
  .strictObject({
    emissionId,
    event,
    ...position,
    read,
    attempt: z.int().min(1).meta({ description: 'Number of the attempt that published the emission.' }),
    acceptedAt: instant,
    publishedAt: instant,
    replayed: z
      .boolean()
      .meta({ description: 'True if a gateway sent it in a catch-up.', examples: [false] }),
    traceparent: z
      .string()
      .exactOptional()
      .meta({ description: 'W3C Trace Context, if the trace of the emission is sampled.' }),
  })
  .meta({ id: 'EmissionMeta' }) satisfies z.ZodType<EmissionMeta>;

export const seen = z
  .strictObject({ emissionId, acceptedAt: instant })
  .meta({ id: 'Seen' }) satisfies z.ZodType<Seen>;

export const tokenRenewal = z
  .strictObject({
    token: z
      .string()
      .meta({ description: 'A JWT of the same company and, if the present token has one, the same `sub`.' }),
  })
  .meta({ id: 'TokenRenewal' }) satisfies z.ZodType<TokenRenewal>;

export const tokenReply = z
  .union([
    z.strictObject({ ok: z.literal(true), expiresAt: instant }),
    z.strictObject({ ok: z.literal(false), code: z.string(), message: z.string() }),
  ])
  .meta({ id: 'TokenReply' }) satisfies z.ZodType<TokenReply>;

export const dashboardAuth = z
  .strictObject({
    token: z.string().meta({
      description:
        'JWT with `companyId` and `exp`. `scope: {staffId?, locationId?, hide?}` restricts what the dashboard shows; without it, the dashboard shows the whole company.',
    }),
    position: streamPosition.exactOptional(),
  })
  .meta({ id: 'DashboardAuth' }) satisfies z.ZodType<DashboardAuth>;

/** One emission, as a batch item and on the `/internal` namespace. */
export const emission = {
  event,
  appointmentId: requestedAppointmentId,
  companyId: requestedCompanyId
    .exactOptional()
    .meta({ description: `Required for \`${APPOINTMENT_DELETED}\`, rejected for other events.` }),
};

export const emitRequest = z
  .strictObject({ ...emission, idempotencyKey: z.string().exactOptional() })
  .meta({ id: 'EmitRequest' }) satisfies z.ZodType<EmitRequest>;
