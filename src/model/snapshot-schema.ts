import { z } from 'zod';
import type { AppointmentSnapshot } from '@appointment-emissions/contracts';
import { type AppointmentModel, type ModelField, ownFields } from './appointment-model.ts';
import type { FieldType } from './description.ts';

const id = z
  .string()
  .regex(/^[0-9a-f]{24}$/)
  .meta({ description: 'An ObjectId.' });
const SCHEMAS: Record<FieldType, z.ZodType> = {
  text: z.string(),
  number: z.number(),
  boolean: z.boolean(),
  date: z.string().meta({ format: 'date-time' }),
  id,
};

/** Schema of the snapshots that are sent for a model. OpenAPI and AsyncAPI contain it. */
export function createSnapshotSchema(model: AppointmentModel): z.ZodType<AppointmentSnapshot> {
  const references = model.references.map(({ field, fields }): [string, z.ZodType] => [
    field,
    z.strictObject({ _id: id, ...Object.fromEntries(fields.map(toEntry)) }).nullable(),
  ]);
  const canceled = model.canceledStatuses.map((status) => `\`${status}\``).join(', ');
  const status = SCHEMAS.text.nullable().meta({
    description: `The application's own status. Use it rather than the event. Canceled: ${canceled === '' ? 'none' : canceled}.`,
  });
  const shape = {
    _id: id,
    companyId: id,
    ...Object.fromEntries(references),
    ...Object.fromEntries(ownFields(model).map(toEntry)),
    status,
  };
  return z.strictObject(shape).meta({
    id: 'AppointmentSnapshot',
    description:
      'One appointment with its references. A missing reference is null. No other fields are sent.',
  }) as unknown as z.ZodType<AppointmentSnapshot>;
}

function toEntry({ name, type }: ModelField): [string, z.ZodType] {
  return [name, SCHEMAS[type].nullable()];
}
