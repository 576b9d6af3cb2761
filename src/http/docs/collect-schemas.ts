import { z } from 'zod';
import type { AppointmentModel } from '../../model/appointment-model.ts';
import { createSnapshotSchema } from '../../model/snapshot-schema.ts';

export type Json = Record<string, unknown>;

/**
 * Gathers JSON Schemas for a document: those with a name become components, and are referred to by it. The schema of the
 * snapshot is the model's.
 */
export function createSchemaCollection(model: AppointmentModel) {
  const components = new Map<string, Json>();
  const { $defs: ofModel = {} } = z.toJSONSchema(createSnapshotSchema(model), { io: 'input' });
  return {
    components,
    /** The JSON Schema of what is sent or answered. */
    of: (schema: z.ZodType): Json => {
      const { $defs = {}, ...root } = z.toJSONSchema(schema, { io: 'input' }) as Json & { $defs?: Json };
      for (const [name, definition] of Object.entries($defs)) {
        components.set(name, referring((ofModel[name] ?? definition) as Json));
      }
      return referring(root);
    },
  };
}

/** A component bears its name already, and a document its dialect. */
const LEFT_OUT: readonly string[] = ['$schema', 'id'];

function referring(schema: Json): Json {
  const kept = Object.fromEntries(Object.entries(schema).filter(([key]) => !LEFT_OUT.includes(key)));
  return JSON.parse(JSON.stringify(kept).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
}
