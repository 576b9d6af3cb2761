import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../../errors.ts';
import type { AppointmentModel } from '../../model/appointment-model.ts';
import { createSchemaCollection, documentInfo, type Json } from './document-parts.ts';
import { problemReply } from './emission-schemas.ts';
import { type DocumentedReply, type Operation, type Parameter, type Security, TAGS } from './operation.ts';
import { OPERATIONS } from './operations.ts';

const SECURITY_SCHEMES: Record<Security, Json> = {
  internalKey: {
    type: 'apiKey',
    in: 'header',
    name: 'x-api-key',
    description: 'The header `x-api-key` with a key of INTERNAL_SERVICE_API_KEY.',
  },
  dashboardToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: "The token of the dashboard's socket: a JWT with `companyId` and `exp`, optionally `scope`.",
  },
  operator: {
    type: 'http',
    scheme: 'basic',
    description: 'HTTP Basic with the name and the password of an operator.',
  },
};

/** Arguments of curl that authenticate a request. */
const CREDENTIALS: Record<Security, string> = {
  internalKey: '--header "x-api-key: $INTERNAL_SERVICE_API_KEY"',
  dashboardToken: '--header "authorization: Bearer $DASHBOARD_TOKEN"',
  operator: '--user "$ADMIN_USER:$ADMIN_PASSWORD"',
};

const header = (description: string, type = 'string'): Json => ({ description, schema: { type } });
const HEADERS = {
  'X-Request-Id': header('Id of the request in the logs.'),
  RateLimit: header('Requests that remain (`r`), and seconds until the limit starts anew (`t`).'),
  'RateLimit-Policy': header('The limit (`q`) and its window in seconds (`w`).'),
  'Retry-After': header('Seconds to wait before the request is repeated.', 'integer'),
};
/** Statuses of problems that say when to repeat the request. */
const RETRYABLE: readonly number[] = [409, 429, 503];

const DESCRIPTION = `Publishes changes of appointments to every dashboard of their company.

Every error is \`application/problem+json\` with a stable \`code\`. A path without a route is 404 \`ROUTE_NOT_FOUND\`.

The examples with curl are for a POSIX shell. They need the server's address in \`API_URL\`, such as http://localhost:3001, and its
\`INTERNAL_SERVICE_API_KEY\`, \`ADMIN_USER\` and \`ADMIN_PASSWORD\`, or a dashboard's token in \`DASHBOARD_TOKEN\`.`;

/** OpenAPI 3.1 of all routes. @param basePath  the path prefix that a proxy in front strips */
export function createOpenApi(model: AppointmentModel, basePath = ''): Json {
  const schemas = createSchemaCollection(model);
  const paths: Record<string, Json> = {};
  for (const operation of OPERATIONS) {
    (paths[operation.path] ??= {})[operation.method] = describeOperation(operation, schemas.of);
  }
  return {
    openapi: '3.1.0',
    info: documentInfo('Appointment emissions: HTTP', DESCRIPTION),
    servers: [{ url: basePath || '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries(schemas.components),
      securitySchemes: SECURITY_SCHEMES,
      headers: HEADERS,
    },
  };
}

function describeOperation(operation: Operation, schemaOf: (schema: z.ZodType) => Json): Json {
  const { id, tag, summary, description, security, parameters, body, example } = operation;
  const sent = example?.body === undefined ? {} : { example: example.body };
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `${description === undefined ? '' : `${description}\n\n`}${createCurlExample(operation)}`,
    security: security === undefined ? [] : [{ [security]: [] }],
    ...(parameters && { parameters: parameters.map((parameter) => describeParameter(parameter, schemaOf)) }),
    ...(body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemaOf(body), ...sent } },
      },
    }),
    responses: describeResponses(operation, schemaOf),
  };
}

/**
 * The operation's example as a call of curl, in a Markdown code block:
 *
 *     curl --fail-with-body "$API_URL/api/v1/internal/socket/appointment-created" \
 *       --header "x-api-key: $INTERNAL_SERVICE_API_KEY" \
 *       --header 'content-type: application/json' \
 *       --data '{"appointmentId":"65f0c0ffee65f0c0ffee00c0"}'
 */
function createCurlExample({ path, security, example = {} }: Operation): string {
  const query = new URLSearchParams(example.query).toString();
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => example.path?.[name] ?? '');
  const parts = [
    `curl --fail-with-body "$API_URL${filled}${query === '' ? '' : `?${query}`}"`,
    ...(security === undefined ? [] : [CREDENTIALS[security]]),
    ...(example.body === undefined
      ? []
      : [`--header 'content-type: application/json'`, `--data '${JSON.stringify(example.body)}'`]),
  ];
  return `\`\`\`sh\n${parts.join(' \\\n  ')}\n\`\`\``;
}

function describeResponses(
  { security, replies, errors }: Operation,
  schemaOf: (schema: z.ZodType) => Json,
): Record<string, Json> {
  const common = refsTo(
    'X-Request-Id',
    ...(security === 'internalKey' ? (['RateLimit', 'RateLimit-Policy'] as const) : []),
  );
  const problem = { 'application/problem+json': { schema: schemaOf(problemReply) } };
  const responses: Record<string, Json> = {};
  for (const [status, reply] of Object.entries(replies)) {
    responses[status] = describeReply(reply, common, schemaOf);
  }
  for (const [status, codes] of byStatus(errors)) {
    responses[status] = {
      description: `${STATUS_CODES[status] ?? ''}: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
      headers: { ...common, ...(RETRYABLE.includes(status) && refsTo('Retry-After')) },
      content: problem,
    };
  }
  responses.default = { description: 'Any other error.', headers: common, content: problem };
  return responses;
}

function describeReply(
  { description, schema, headers = {} }: DocumentedReply,
  common: Json,
  schemaOf: (schema: z.ZodType) => Json,
): Json {
  const own = Object.entries(headers).map(([name, text]) => [name, header(text)]);
  return {
    description,
    headers: { ...common, ...Object.fromEntries(own) },
    content:
      typeof schema === 'string'
        ? { [schema]: { schema: { type: 'string' } } }
        : { 'application/json': { schema: schemaOf(schema) } },
  };
}

function refsTo(...names: readonly (keyof typeof HEADERS)[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
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
