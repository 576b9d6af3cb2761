import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { createAsyncApi } from '../../src/http/docs/asyncapi.ts';
import { createOpenApi } from '../../src/http/docs/openapi.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createMatcher } from './json-schema.ts';
import { readPage } from './pages.ts';

/** A part of a document, read by tests only. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Part = any;

const { version } = JSON.parse(readPage('package.json')) as { version: string };
const openApi: Part = createOpenApi(DEFAULT_MODEL);
const asyncApi: Part = createAsyncApi(DEFAULT_MODEL);
const operations = Object.entries(openApi.paths as Record<string, Part>).flatMap(([path, methods]) =>
  Object.entries(methods as Record<string, Part>).map(([method, operation]) => ({
    ...operation,
    route: `${method} ${path}`,
  })),
);

test('the OpenAPI document passes a validator with the official schema', async () => {
  expect(await new Validator().validate(openApi)).toEqual({ valid: true });
  const { valid } = await new Validator().validate({ ...openApi, info: {} });
  expect(valid).toBe(false);
});

test('the AsyncAPI document is valid by the official schema', () => {
  const path = createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json');
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const validate = ajv.compile(JSON.parse(readFileSync(path, 'utf8')) as object);
  validate(asyncApi);
  expect(validate.errors).toBeNull();
  expect(validate({ ...asyncApi, servers: { gateway: {} } })).toBe(false);
});

test('both documents have the version of the package', () => {
  expect([openApi.info.version, asyncApi.info.version]).toEqual([version, version]);
});

test('every reference resolves', () => {
  for (const document of [openApi, asyncApi]) {
    for (const [, pointer = ''] of JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)) {
      const target = pointer
        .split('/')
        .slice(1)
        .reduce((at: Part, key) => at?.[key], document);
      expect([pointer, typeof target]).toEqual([pointer, 'object']);
    }
  }
});

test('every operation has an id, declared tags, an example, and a declared security where it needs one', () => {
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  const tags = (openApi.tags as Part[]).map((tag) => tag.name);
  for (const { route, tags: used, security, description, summary } of operations) {
    expect([route, tags]).toEqual([route, expect.arrayContaining(used)]);
    for (const name of (security as object[]).flatMap(Object.keys))
      expect(openApi.components.securitySchemes).toHaveProperty(name);
    expect([route, security.length]).toEqual([
      route,
      /\/(internal|dashboard|admin)\/|^get \/metrics/.test(route) ? 1 : 0,
    ]);
    expect([route, description]).toEqual([route, expect.stringContaining('```sh\ncurl ')]);
    // An imperative, such as "Read the timeline of an emission", without a full stop.
    expect(summary).toMatch(/^[A-Z][a-z]+ .*[^.]$/);
  }
  for (const operation of Object.values<Part>(asyncApi.operations)) {
    expect(operation).toMatchObject({ tags: [expect.anything()], security: [expect.anything()] });
  }
});

test('every example matches its schema', () => {
  const matchesHttp = createMatcher(openApi);
  const checked: string[] = [];
  for (const { route, requestBody } of operations) {
    const content = requestBody?.content['application/json'];
    if (!content) continue;
    expect([route, matchesHttp(content.schema, content.example)]).toEqual([route, []]);
    checked.push(route);
  }
  expect(checked).toHaveLength(
    operations.filter(({ route }) => (route as string).startsWith('post ')).length,
  );

  const matchesSocket = createMatcher(asyncApi);
  for (const channel of Object.values<Part>(asyncApi.channels)) {
    for (const { name, payload, examples = [] } of Object.values<Part>(channel.messages)) {
      for (const example of examples)
        expect([name, matchesSocket(payload, example.payload)]).toEqual([name, []]);
    }
  }
  for (const [document, matches] of [
    [openApi, matchesHttp],
    [asyncApi, matchesSocket],
  ] as const) {
    for (const schema of schemasWithExamples(document)) {
      for (const example of schema.examples as unknown[])
        expect([schema, matches(schema, example)]).toEqual([schema, []]);
    }
  }
});

/** The schemas, at any depth, that have examples. Examples of parameters and bodies are other objects. */
function schemasWithExamples(part: unknown): { examples: unknown }[] {
  if (typeof part !== 'object' || part === null) return [];
  const inner = Object.values(part).flatMap(schemasWithExamples);
  return 'examples' in part && ('type' in part || '$ref' in part || 'enum' in part)
    ? [part, ...inner]
    : inner;
}
