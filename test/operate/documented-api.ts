import { Types } from 'mongoose';
import { expect } from '@jest/globals';
import { EXAMPLES } from '../../src/http/docs/operation.ts';
import { createMatcher } from '../docs/json-schema.ts';
import { API_KEY } from '../harness/world.ts';
import { type Answer, CREDENTIALS, quietWorld } from './admin.ts';

const { appointmentId, companyId, emissionId } = EXAMPLES;

/** An operation of the OpenAPI document. */
export interface Operation {
  path: string;
  method: string;
  operationId: string;
  description: string;
  security: Record<string, unknown>[];
  parameters?: { name: string; in: string; schema: { examples?: string[] } }[];
  requestBody?: { content: Record<string, { example: unknown }> };
  responses: Record<string, Answer>;
}

/** What a call has instead of the operation's example. */
export interface Call {
  /** Default: the API of the world. */
  to?: { url: string };
  path?: Record<string, string>;
  query?: string;
  /** Text is sent as it is. Default: the body of the example. */
  body?: unknown;
  /** They replace the credentials of the operation. */
  credentials?: Record<string, string>;
  headers?: Record<string, string>;
}

/** An API with the ids of the documented examples, whose replies are compared with its OpenAPI document. */
export async function openDocumentedApi() {
  const world = await quietWorld({ ADMIN_WRITES: 'on', EMISSION_ATTEMPTS: '1' });
  const company = await world.documents.company(companyId);
  await company.appointment({ _id: new Types.ObjectId(appointmentId) });
  await addFailedEmission();
  const api = await world.api();
  world.worker();
  const [openApi, asyncApi] = (await Promise.all(
    ['openapi', 'asyncapi'].map(async (name) => (await fetch(`${api.url}/${name}.json`)).json()),
  )) as [Answer, Answer];
  const operations: Operation[] = Object.entries<Answer>(openApi.paths).flatMap(([path, methods]) =>
    Object.entries<Answer>(methods).map(([method, rest]) => ({ path, method, ...rest })),
  );
  const matches = createMatcher(openApi);
  /** `<operation> <status>` of each reply that was compared with the document. */
  const compared = new Set<string>();

  /** An emission of the documented id that has failed permanently. */
  async function addFailedEmission(): Promise<void> {
    const restore = await world.documents.giveAway();
    const job = { v: 1, event: 'appointment:updated', appointmentId, companyId, emissionId };
    await world.queue.add(
      job.event,
      { ...job, acceptedAt: new Date().toISOString() },
      { jobId: emissionId, attempts: 1, backoff: { type: 'custom' } },
    );
    const worker = world.worker();
    await world.jobIn(emissionId, 'failed');
    await worker.close();
    await restore();
  }

  async function credentialsOf({ security }: Operation): Promise<Record<string, string>> {
    const [scheme = ''] = security.flatMap(Object.keys);
    if (scheme === 'internalKey') return { 'x-api-key': API_KEY };
    if (scheme === 'operator') return { authorization: CREDENTIALS };
    return scheme === '' ? {} : { authorization: `Bearer ${await world.token(companyId)}` };
  }

  function send(operation: Operation, call: Call, credentials: Record<string, string>): Promise<Response> {
    const { method, parameters = [], requestBody } = operation;
    const exampleOf = (name: string) =>
      parameters.find((one) => one.name === name)?.schema.examples?.[0] ?? '';
    const path = operation.path.replace(
      /\{(\w+)\}/g,
      (_, name: string) => call.path?.[name] ?? exampleOf(name),
    );
    const needed = parameters.filter((one) => one.in === 'query' && one.schema.examples);
    const query = call.query ?? needed.map(({ name }) => `${name}=${exampleOf(name)}`).join('&');
    const body = call.body ?? requestBody?.content['application/json']!.example;
    return fetch(`${(call.to ?? api).url}${path}?${query}`, {
      method,
      headers: { 'content-type': 'application/json', ...credentials, ...call.headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  }

  /** Calls an operation, with its example unless `call` has something else, and compares the reply with the document. */
  async function callOperation(id: string, call: Call = {}): Promise<{ status: number; answer: Answer }> {
    const operation = operations.find(({ operationId }) => operationId === id)!;
    const response = await send(operation, call, call.credentials ?? (await credentialsOf(operation)));
    const { status, headers } = response;
    const documented = operation.responses[status];
    const type = headers.get('content-type')!.split(';')[0]!;
    const schema = documented?.content?.[type]?.schema;
    expect([id, status, type, typeof schema]).toEqual([id, status, type, 'object']);
    const answer: Answer = type.includes('json') ? await response.json() : await response.text();
    expect([id, status, matches(schema, answer)]).toEqual([id, status, []]);
    if (type === 'application/problem+json') expect(documented.description).toContain(`\`${answer.code}\``);
    const missing = Object.keys(documented.headers).filter((name) => !headers.has(name));
    expect([id, status, missing.filter((name) => name !== 'Idempotency-Replayed')]).toEqual([id, status, []]);
    compared.add(`${id} ${status}`);
    return { status, answer };
  }

  async function expectDocumented(id: string, status: number, call: Call = {}): Promise<Answer> {
    const reply = await callOperation(id, call);
    expect([id, reply.status, reply.status === status ? '' : reply.answer]).toEqual([id, status, '']);
    return reply.answer;
  }

  const idsOf = (fits: (operation: Operation) => boolean) =>
    operations.filter(fits).map(({ operationId }) => operationId);
  const needs = (scheme: string) => (operation: Operation) => operation.security.some((one) => scheme in one);

  return {
    world,
    api,
    company,
    openApi,
    asyncApi,
    operations,
    matches,
    callOperation,
    expectDocumented,
    idsOf,
    internal: idsOf(needs('internalKey')),
    ofOperators: idsOf(needs('operator')),
    withBody: idsOf(({ requestBody }) => requestBody !== undefined),
    /** The documented replies with these statuses that no call has had. */
    notCompared: (fits: (status: number) => boolean) =>
      operations.flatMap(({ operationId, responses }) =>
        Object.keys(responses)
          .filter((status) => status !== 'default' && fits(Number(status)))
          .map((status) => `${operationId} ${status}`)
          .filter((reply) => !compared.has(reply)),
      ),
  };
}

export type DocumentedApi = Awaited<ReturnType<typeof openDocumentedApi>>;

/** The operations that emit one event. */
export const EMITS = [
  'appointmentCreated',
  'appointmentUpdated',
  'appointmentCanceled',
  'appointmentDeleted',
];
