/** The pages of the HTTP routes and of the socket events. They follow from the OpenAPI and the AsyncAPI document. */

/** The parts of a JSON Schema that the pages show. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  const?: unknown;
  enum?: unknown[];
  /** A list: the arguments of an event. */
  items?: Schema | Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  description?: string;
}

interface Body {
  content?: Record<string, { schema: Schema }>;
}

interface HttpOperation {
  tags: string[];
  summary: string;
  /** Markdown of several paragraphs, with an example. */
  description: string;
  security: Record<string, unknown>[];
  parameters?: { name: string; in: string; required: boolean; description: string; schema: Schema }[];
  requestBody?: Body;
  responses: Record<string, Body & { description: string }>;
}

interface Components {
  schemas: Record<string, Schema>;
}

export interface HttpDocument {
  info: { description: string };
  paths: Record<string, Record<string, HttpOperation>>;
  components: Components & { securitySchemes: Record<string, { description: string }> };
}

export interface SocketDocument {
  channels: Record<string, SocketChannel>;
  operations: Record<string, SocketOperation>;
  components: Components;
}

interface SocketChannel {
  address: string;
  description: string;
  'x-auth'?: Schema;
  messages: Record<string, { name: string; payload: Schema }>;
}

interface SocketOperation {
  action: 'send' | 'receive';
  channel: { $ref: string };
  summary: string;
  messages: { $ref: string }[];
  reply?: { messages: { $ref: string }[] };
}

/** The page of the HTTP routes. */
export function renderHttp({ info, paths, components }: HttpDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const sections = tags.flatMap((tag) => [
    `## ${tag}`,
    ...operations
      .filter(({ operation }) => operation.tags.includes(tag))
      .map(({ path, method, operation }) =>
        renderOperation(`${method.toUpperCase()} ${path}`, operation, components),
      ),
  ]);
  const intro = `${info.description} The API serves this page's document as <a href="/openapi.json" target="_self">OpenAPI 3.1</a>, and a page to try it out at \`/docs\`.`;
  return page('HTTP routes', intro, sections, components);
}

function renderOperation(
  route: string,
  { summary, description, security, parameters = [], requestBody, responses }: HttpOperation,
  { securitySchemes }: HttpDocument['components'],
): string {
  const auth = security
    .flatMap((one) => Object.keys(one))
    .map((name) => securitySchemes[name]?.description ?? name);
  return [
    `### \`${route}\``,
    `${summary}.`,
    description,
    auth.length > 0 ? `Authentication: ${prose(auth.join(', '))}` : '',
    table(
      ['parameter', 'in', 'type', ''],
      parameters.map(({ name, in: place, required, description: text, schema }) => [
        `\`${name}\`${required ? '' : '?'}`,
        place,
        typeOf(schema),
        prose(text),
      ]),
    ),
    requestBody === undefined ? '' : `Body: ${bodyOf(requestBody)}`,
    table(
      ['status', 'body', ''],
      Object.entries(responses).map(([status, response]) => [
        status,
        bodyOf(response),
        prose(response.description),
      ]),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function bodyOf({ content = {} }: Body): string {
  return Object.values(content)
    .map(({ schema }) => typeOf(schema))
    .join(', ');
}

/** The page of the socket events. */
export function renderSockets({ channels, operations, components }: SocketDocument): string {
  const sections = Object.entries(channels).flatMap(([key, channel]) => [
    `## Namespace \`${channel.address}\``,
    prose(channel.description),
    channel['x-auth'] === undefined ? '' : `\`auth\`: ${typeOf(channel['x-auth'])}`,
    ...Object.values(operations)
      .filter((operation) => operation.channel.$ref === `#/channels/${key}`)
      .map((operation) => renderEvent(channel, operation)),
  ]);
  const intro =
    'The events between gateway and dashboards, and between the API and services. This page follows from an <a href="/asyncapi.json" target="_self">AsyncAPI 3.0</a> document that the API serves too.';
  return page('Socket events', intro, sections, components);
}

function renderEvent(
  { messages }: SocketChannel,
  { action, summary, messages: refs, reply }: SocketOperation,
): string {
  const messageOf = ({ $ref }: { $ref: string }) => messages[$ref.split('/').at(-1) ?? ''];
  const [message] = refs.map(messageOf);
  const [acknowledgement] = (reply?.messages ?? []).map(messageOf);
  const argumentsOf = (payload: Schema | undefined) => [payload?.items ?? []].flat().map(typeOf).join(', ');
  return [
    `### \`${message?.name ?? ''}\``,
    prose(summary),
    `${action === 'send' ? 'Server → client' : 'Client → server'}: ${argumentsOf(message?.payload)}`,
    acknowledgement ? `Acknowledged with: ${argumentsOf(acknowledgement.payload)}` : '',
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function page(title: string, intro: string, sections: string[], { schemas }: Components): string {
  const shapes = Object.entries(schemas).map(([name, schema]) => renderSchema(name, schema));
  return [`# ${title}`, intro, ...sections, '## Shapes', ...shapes, ''].join('\n\n');
}

function renderSchema(name: string, schema: Schema): string {
  const { description, properties, required = [] } = schema;
  const rows = Object.entries(properties ?? {}).map(([property, shape]) => [
    `\`${property}\`${required.includes(property) ? '' : '?'}`,
    typeOf(shape),
    prose(shape.description ?? ''),
  ]);
  const parts = [
    `### ${name}`,
    prose(description ?? ''),
    rows.length > 0 ? table(['field', 'type', ''], rows) : typeOf(schema),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** A type in the notation of TypeScript; a named one is a link to its table. */
function typeOf(schema: Schema): string {
  const { $ref, const: constant, enum: values, anyOf, oneOf, allOf, items, type, format } = schema;
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1) ?? '';
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (constant !== undefined) return code(JSON.stringify(constant));
  if (values !== undefined) return values.map((value) => code(JSON.stringify(value))).join(' \\| ');
  const union = anyOf ?? oneOf;
  if (union !== undefined) return union.map(typeOf).join(' \\| ');
  if (allOf !== undefined) return allOf.map(typeOf).join(' & ');
  if (Array.isArray(items)) return `[${items.map(typeOf).join(', ')}]`;
  if (items !== undefined) return `${typeOf(items)}[]`;
  if (schema.properties !== undefined) return inlineObject(schema);
  if (typeof schema.additionalProperties === 'object')
    return `{ key: ${typeOf(schema.additionalProperties)} }`;
  return code(format ?? (Array.isArray(type) ? type.join(' | ') : (type ?? 'any')).replaceAll('|', '\\|'));
}

function inlineObject({ properties = {}, required = [] }: Schema): string {
  const fields = Object.entries(properties).map(
    ([name, shape]) => `${name}${required.includes(name) ? '' : '?'}: ${typeOf(shape)}`,
  );
  return `{ ${fields.join(', ')} }`;
}

function table(columns: string[], rows: string[][]): string {
  if (rows.length === 0) return '';
  return [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A description in a table or a paragraph. It is Markdown already. */
function prose(text: string): string {
  return text
    .replaceAll('\n', ' ')
    .replaceAll(/(?<!\\)\|/g, '\\|')
    .replaceAll('<', '&lt;');
}
