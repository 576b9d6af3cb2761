import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

interface Document {
  /** AsyncAPI has schemas of draft 7, OpenAPI those of draft 2020-12. */
  asyncapi?: string;
  components: { schemas: Record<string, unknown> };
}

/**
 * Compares values with the JSON Schemas of a document, by the document alone. Returns the errors of a value as text, none if it
 * matches.
 */
export function createMatcher({
  asyncapi,
  components,
}: Document): (schema: unknown, value: unknown) => string[] {
  const options = { strict: true, strictTypes: false, strictTuples: false, allErrors: true };
  const ajv = asyncapi === undefined ? new Ajv2020(options) : new Ajv(options);
  addFormats.default(ajv);
  const toDefinitions = (part: unknown) =>
    JSON.parse(JSON.stringify(part).replaceAll('#/components/schemas/', 'document#/$defs/')) as object;
  ajv.addSchema({ $id: 'document', $defs: toDefinitions(components.schemas) });
  const compiled = new Map<unknown, ValidateFunction>();
  return (schema, value) => {
    const validate = compiled.get(schema) ?? ajv.compile(toDefinitions(schema));
    compiled.set(schema, validate);
    validate(value);
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
    );
  };
}
