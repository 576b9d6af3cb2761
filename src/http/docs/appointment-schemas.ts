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

/*
 * Schemas of messages between processes, used only for the documents. The compiler checks them against the contracts.
 */

export const id = z
  .string()
  .regex(/^[0-9a-f]{24}$/)
  .meta({ description: 'An ObjectId.' });
/** As a caller may write it. */
export const givenId = z
  .string()
  .regex(/^[0-9a-fA-F]{24}$/)
  .meta({ description: 'An ObjectId.' });
export const instant = z.string().meta({ format: 'date-time' });
export const event = z.enum(APPOINTMENT_EVENTS).meta({ id: 'AppointmentEvent' });

/** Placeholder: `createSchemaCollection` replaces it with the schema of the configured model. */
const appointmentSnapshot = createSnapshotSchema(DEFAULT_MODEL);

const place = {
  epoch: z.string().meta({
    description: 'Names one history of the company log. It changes whenever offsets could be reused.',
  }),
  offset: z.int().min(0).meta({ description: 'Consecutive per company, from 1.' }),
};
const read = z.int().min(0).meta({
  description:
    '0 for a live emission. (offset, read) orders all snapshots of an appointment within an epoch.',
});

export const placeSchema = z.strictObject(place).meta({
  id: 'Place',
  description: "How far a dashboard has followed its company's log.",
}) satisfies z.ZodType<StreamPosition>;

export const position = z
  .strictObject({
    ...place,
    recovered: z
      .boolean()
      .meta({ description: 'False: missed emissions cannot be replayed. Load the list again.' }),
    reason: z
      .enum(['trimmed', 'epoch', 'too-many', 'gone', 'invalid', 'unavailable', 'rate-limited', 'scope'])
      .exactOptional(),
  })
  .meta({ id: 'Position' }) satisfies z.ZodType<PositionUpdate>;
export const alive = z
  .strictObject({
    reads: z
      .boolean()
      .meta({ description: 'False while MongoDB cannot be read: changes reach no dashboard.' }),
  })
  .meta({ id: 'Alive' }) satisfies z.ZodType<Alive>;

export const appointmentList = z
  .strictObject({
    ...place,
    appointments: z.array(z.strictObject({ appointment: appointmentSnapshot, offset: place.offset, read })),
  })
  .meta({
    id: 'AppointmentList',
    description: 'Connect with its epoch and offset to receive everything that follows.',
  }) satisfies z.ZodType<AppointmentList>;

export const appointmentPayload = z
  .strictObject({ appointment: appointmentSnapshot })
  .meta({ id: 'AppointmentPayload' }) satisfies z.ZodType<AppointmentPayload>;

export const deletionPayload = z
  .strictObject({
    appointment: z.strictObject({ _id: id, companyId: id }),
    reason: z
      .enum(['out-of-scope'])
      .exactOptional()
      .meta({ description: 'Set if the appointment still exists, but this screen may no longer see it.' }),
  })
  .meta({ id: 'DeletionPayload' }) satisfies z.ZodType<DeletionPayload>;

export const emissionMeta = z
  .strictObject({
    emissionId: z.string(),
    event,
    ...place,
    read,
    attempt: z.int().min(1),
    acceptedAt: instant,
    publishedAt: instant,
    replayed: z
      .boolean()
      .meta({ description: 'True if a gateway replayed it to a dashboard that had missed it.' }),
    traceparent: z
      .string()
      .exactOptional()
      .meta({ description: 'W3C Trace Context, if the trace of the emission is sampled.' }),
  })
  .meta({ id: 'EmissionMeta' }) satisfies z.ZodType<EmissionMeta>;

export const seen = z
  .strictObject({ emissionId: z.string(), acceptedAt: instant })
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
    position: placeSchema.exactOptional(),
  })
  .meta({ id: 'DashboardAuth' }) satisfies z.ZodType<DashboardAuth>;

/** One emission, as a batch item and on the `/internal` namespace. */
export const emission = {
  event,
  appointmentId: givenId,
  companyId: givenId
    .exactOptional()
    .meta({ description: `Required for \`${APPOINTMENT_DELETED}\`, refused otherwise.` }),
};

export const emitRequest = z
  .strictObject({ ...emission, idempotencyKey: z.string().exactOptional() })
  .meta({ id: 'EmitRequest' }) satisfies z.ZodType<EmitRequest>;
