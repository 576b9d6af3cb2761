import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../../errors.ts';
import type { AppointmentModel } from '../../model/appointment-model.ts';
import { createSchemaCollection, type Json } from './collect-schemas.ts';
import { problemReply } from './emission-schemas.ts';
import type { Operation, Parameter } from './operation.ts';
import { OPERATIONS } from './operations.ts';

const SECURITY_SCHEMES = {
  internalKey: {
    type: 'apiKey',
    in: 'header',
    name: 'x-api-key',
    description: 'the header `x-api-key` with INTERNAL_SERVICE_API_KEY.',
  },
  dashboardToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: "the socket's token as bearer: it has `companyId` and `exp`.",
  },
  operator: {
    type: 'http',
    scheme: 'basic',
    description: 'HTTP Basic with the name and password of an operator.',
  },
};

/** OpenAPI 3.1 of all routes. */
export function createOpenApi(model: AppointmentModel, basePath = ''): Json {
  const schemas = createSchemaCollection(model);
  const paths: Record<string, Json> = {};
  for (const operation of OPERATIONS) {
    (paths[operation.path] ??= {})[operation.method] = describe(operation, schemas.of);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Appointment emissions',
      version: '1',
      description:
        'Appointment events from a chatbot to every dashboard of the company. Errors are `application/problem+json` with a stable `code`.',
    },
    ...(basePath !== '' && { servers: [{ url: basePath }] }),
    paths,
    components: { schemas: Object.fromEntries(schemas.components), securitySchemes: SECURITY_SCHEMES },
  };
}

function describe(operation: Operation, schemaOf: (schema: z.ZodType) => Json): Json {
  const { id, tag, summary, description, security, parameters, body, answers, errors } = operation;
  const responses: Record<string, Json> = {};
  for (const [status, { description, schema, headers }] of Object.entries(answers)) {
    responses[status] = {
      description,
      ...(headers && { headers: describeHeaders(headers) }),
      content:
        typeof schema === 'string'
          ? { [schema]: { schema: { type: 'string' } } }
          : { 'application/json': { schema: schemaOf(schema) } },
    };
  }
  for (const [status, codes] of byStatus(errors)) {
    responses[status] = {
      description: `${STATUS_CODES[status] ?? ''}: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
      ...([409, 429, 503].includes(status) && {
        headers: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } },
      }),
      content: { 'application/problem+json': { schema: schemaOf(problemReply) } },
    };
  }
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    security: security === undefined ? [] : [{ [security]: [] }],
    ...(parameters && { parameters: parameters.map((parameter) => describeParameter(parameter, schemaOf)) }),
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body) } } },
    }),
    responses,
  };
}

function describeHeaders(headers: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
  );
}

function describeParameter(
  { schema, required = false, ...rest }: Parameter,
  schemaOf: (schema: z.ZodType) => Json,
): Json {
  return { ...rest, required, schema: schemaOf(schema) };
}

function byStatus(codes: readonly ErrorCode[]): [number, ErrorCode[]][] {
  const found = new Map<number, ErrorCode[]>();
  for (const code of codes) found.set(ERROR_CODES[code], [...(found.get(ERROR_CODES[code]) ?? []), code]);
  return [...found].sort(([a], [b]) => a - b);
}
