import { z } from 'zod';
import type { AppointmentModel } from '../../model/appointment-model.ts';
import { createSnapshotSchema } from '../../model/snapshot-schema.ts';
import { readBuildInfo } from '../../process/build-info.ts';

/* What the OpenAPI and the AsyncAPI document have in common. */

export type Json = Record<string, unknown>;

/** The part of a document that describes the service. Its version is that of the release. */
export function documentInfo(title: string, description: string): Json {
  const { version } = readBuildInfo();
  return { title, version, description, license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' } };
}

/**
 * Collects the JSON Schemas of a document. A schema with a name becomes a component, and is referred to by its name. The schema of
 * the snapshot is that of the model.
 */
export function createSchemaCollection(model: AppointmentModel) {
  const components = new Map<string, Json>();
  const { $defs: ofModel = {} } = z.toJSONSchema(createSnapshotSchema(model), { io: 'input' });
  return {
    components,
    /** The JSON Schema of a message. */
    of: (schema: z.ZodType): Json => {
      const { $defs = {}, ...root } = z.toJSONSchema(schema, { io: 'input' }) as Json & { $defs?: Json };
      for (const [name, definition] of Object.entries($defs)) {
        components.set(name, toComponent((ofModel[name] ?? definition) as Json));
      }
      return toComponent(root);
    },
  };
}

/** Keywords that a part of a document does not need. */
const OMITTED: readonly string[] = ['$schema', 'id'];

function toComponent(schema: Json): Json {
  const kept = Object.fromEntries(Object.entries(schema).filter(([key]) => !OMITTED.includes(key)));
  return JSON.parse(JSON.stringify(kept).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
}
