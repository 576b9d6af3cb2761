import { z } from 'zod';

export type Json = Record<string, unknown>;

/** Gathers JSON Schemas for a document: those with a name become components, and are referred to by it. */
export function createSchemaCollection() {
  const components = new Map<string, Json>();
  return {
    components,
    /** The JSON Schema of what is sent or answered. */
    of: (schema: z.ZodType): Json => {
      const { $defs = {}, ...root } = z.toJSONSchema(schema, { io: 'input' }) as Json & { $defs?: Json };
      for (const [name, definition] of Object.entries($defs)) {
        components.set(name, referring(definition as Json));
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
