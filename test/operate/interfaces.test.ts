import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RequestHandler, Router } from 'express';
import { io } from 'socket.io-client';
import type { Alive } from '@appointment-emissions/contracts';
import { createAdminRoutes } from '../../src/http/routes/admin-routes.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createApp } from '../../src/http/app.ts';
import { createDashboardRoutes } from '../../src/http/routes/dashboard-routes.ts';
import { EXAMPLES } from '../../src/http/docs/operation.ts';
import { createEmissionRoutes } from '../../src/http/routes/emission-routes.ts';
import { createHealthRoutes } from '../../src/http/routes/monitoring-routes.ts';
import { fieldsOf } from '../docs/contract-types.ts';
import { createMatcher } from '../docs/json-schema.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY } from '../harness/world.ts';
import type { Answer } from './admin.ts';
import { type DocumentedApi, EMITS, openDocumentedApi } from './documented-api.ts';

const { appointmentId, companyId } = EXAMPLES;

let documented: DocumentedApi;
beforeAll(async () => {
  documented = await openDocumentedApi();
});
afterAll(() => documented.world.close());

interface Layer {
  /** Where a router is mounted. */
  rawPath?: string;
  route?: { path: string; methods: Record<string, boolean> };
  handle: { stack?: Layer[] };
}

/** The routes that Express has, in the document's notation. */
function routesOf(layers: Layer[], prefix = ''): string[] {
  return layers.flatMap(({ rawPath = '/', route, handle }) => {
    if (!route) return routesOf(handle.stack ?? [], prefix + (rawPath === '/' ? '' : rawPath));
    const path = `${prefix}${route.path}`.replace(/:(\w+)/g, '{$1}');
    return Object.keys(route.methods).flatMap((method) => (method === '_all' ? [] : `${method} ${path}`));
  });
}

test('the document has exactly the routes of Express', () => {
  const none = {} as never;
  const pass: RequestHandler = (_req, _res, next) => {
    next();
  };
  const app = createApp({
    requireApiKey: pass,
    requireAdmin: pass,
    audit: () => undefined,
    logRequests: pass,
    reportRefusals: pass,
    countRejections: pass,
    allowOrigins: pass,
    emissionRoutes: createEmissionRoutes({ bodyLimits: { single: 4_096, batch: 131_072 } } as never),
    readMetrics: pass,
    prometheus: pass,
    healthRoutes: createHealthRoutes(none),
    dashboardRoutes: createDashboardRoutes(none),
    adminRoutes: createAdminRoutes(none),
    bullBoard: pass as Router,
    pageDir: 'dist/page',
    model: DEFAULT_MODEL,
    connectOrigins: [],
    onFault: () => undefined,
  });
  const inDocument = documented.operations.map(({ method, path }) => `${method} ${path}`);
  const { stack } = app.router as unknown as { stack: Layer[] };
  expect([...new Set(routesOf(stack))].sort()).toEqual(inDocument.sort());
});

test('accepted requests are answered as documented', async () => {
  const { operations, callOperation, expectDocumented } = documented;
  const failed = await failAgain();
  for (const id of [...EMITS, 'emitBatch']) await expectDocumented(id, 202);
  const { answer } = await callOperation('emitBatch', {
    body: { emissions: [{ event: 'appointment:created', appointmentId }, { event: 'x' }] },
  });
  expect(answer).toMatchObject({ accepted: 1, rejected: 1 });
  await expectDocumented('readEmission', 200, { path: { emissionId: failed } });
  await expectDocumented('readEmission', 200);
  const list = await expectDocumented('listAppointments', 200);
  expect(list.appointments.length).toBeGreaterThan(0);
  const overview = await expectDocumented('readOverview', 200);
  expect(overview.failures.length).toBeGreaterThan(0);
  await expectDocumented('retryEmission', 200, { body: { emissionId: failed } });
  await expectDocumented('reEmit', 200, { body: { companyId, since: '1h' } });
  for (const { operationId, method, responses } of operations) {
    if (method === 'get' && '200' in responses) await expectDocumented(operationId, 200);
  }
  for (const id of ['retryFailed', 'disconnectDashboards']) await expectDocumented(id, 200);
});

/** Resolves to the id of an emission that fails permanently. */
async function failAgain(): Promise<string> {
  const { world, api, company } = documented;
  const foreign = await company.appointment();
  await world.queue.pause();
  const failed = await world.emit(api, 'appointment-created', foreign);
  await world.documents.giveAway(foreign);
  await world.queue.resume();
  await world.jobIn(failed, 'failed');
  return failed;
}

test('refused requests are answered as documented', async () => {
  const { world, expectDocumented, internal, ofOperators, withBody } = documented;
  for (const id of internal) {
    await expectDocumented(id, 401, { credentials: {} });
    await expectDocumented(id, 403, { credentials: { 'x-api-key': 'wrong' } });
  }
  for (const id of ofOperators) await expectDocumented(id, 401, { credentials: {} });
  for (const id of withBody) {
    await expectDocumented(id, 400, { body: '{' });
    await expectDocumented(id, 400, { body: { unknown: true } });
    await expectDocumented(id, 413, { body: 'x'.repeat(140_000) });
    await expectDocumented(id, 415, { body: 'x', headers: { 'content-type': 'text/plain' } });
  }
  const missing = 'f'.repeat(24);
  for (const id of EMITS) {
    const body = { appointmentId: missing, ...(id === 'appointmentDeleted' && { companyId }) };
    // The deletion of a missing appointment is accepted; that of another company's is not.
    if (id !== 'appointmentDeleted') await expectDocumented(id, 404, { body });
  }
  await expectDocumented('appointmentDeleted', 404, { body: { appointmentId, companyId: missing } });
  for (const id of [...EMITS, 'emitBatch']) {
    const headers = { 'Idempotency-Key': randomUUID() };
    await expectDocumented(id, 202, { headers });
    await expectDocumented(id, 422, { headers, body: otherBody(id) });
    await expectDocumented(id, 400, { headers: { 'Idempotency-Key': 'k'.repeat(256) } });
  }
  await expectDocumented('readEmission', 404, { path: { emissionId: 'none' } });
  await expectDocumented('readEmissions', 404, { query: `appointmentId=${missing}` });
  await expectDocumented('readEmissions', 400, { query: '' });
  await expectDocumented('listAppointments', 400, { query: 'from=yesterday' });
  await expectDocumented('listAppointments', 401, { credentials: {} });
  const token = await world.token(companyId, '5m', { scope: {} });
  await expectDocumented('listAppointments', 403, { credentials: { authorization: `Bearer ${token}` } });
  await expectDocumented('listCompanies', 400, { query: 'prefix=x' });
  await expectDocumented('retryEmission', 404, { body: { emissionId: 'none' } });
  for (const id of ofOperators.filter((one) => withBody.includes(one)))
    await expectDocumented(id, 403, { headers: { origin: 'https://elsewhere.example' } });
});

/** A valid body that differs from the example. */
function otherBody(id: string): unknown {
  const item = { appointmentId: 'f'.repeat(24), ...(id === 'appointmentDeleted' && { companyId }) };
  return id === 'emitBatch' ? { emissions: [{ event: 'appointment:created', ...item }] } : item;
}

test('each documented reply was compared with a real one, except those of limits and of servers that are down', () => {
  expect(documented.notCompared((status) => ![409, 429, 500, 503].includes(status))).toEqual([]);
});

test('each event and acknowledgement on a socket is documented and matches the document', async () => {
  const { world, api, asyncApi } = documented;
  const { dashboards, services } = asyncApi.channels;
  const events = fieldsOf('DashboardServerEvents').concat(fieldsOf('DashboardClientEvents'));
  const names = Object.values<Answer>(dashboards.messages).map(({ name }) => name as string);
  expect(names.filter((name) => !name.includes('acknowledgement')).sort()).toEqual(
    events.map(({ field }) => field.replaceAll("'", '')).sort(),
  );

  const matchesSocket = createMatcher(asyncApi);
  const seen = new Set<string>();
  const problems: unknown[] = [];
  const compare = (channel: Answer, name: string, args: unknown[]) => {
    const message = Object.values<Answer>(channel.messages).find((one) => one.name === name);
    const errors = message ? matchesSocket(message.payload, args) : ['not documented'];
    if (errors.length > 0) problems.push({ name, args, errors });
    seen.add(name);
  };
  const open = async (token: string) => {
    const dashboard = await world.dashboard(api, companyId, { token });
    dashboard.socket.onAny((name: string, ...args: unknown[]) => {
      compare(dashboards, name, args);
    });
    return dashboard;
  };
  const dashboard = await open(await world.token(companyId));
  const scoped = await open(await world.token(companyId, '5m', { scope: { staffId: 'f'.repeat(24) } }));
  compare(dashboards, 'emissions:position', [dashboard.positions[0]]);
  for (const slug of ['appointment-created', 'appointment-updated', 'appointment-canceled'])
    await world.emit(api, slug, appointmentId);
  await world.post(api, 'appointment-deleted', { appointmentId: 'f'.repeat(24), companyId });
  await dashboard.receive(({ event }) => event === 'appointment:deleted');
  const { meta } = dashboard.received[0]!;

  const from = { epoch: dashboard.positions[0]!.epoch, offset: dashboard.positions[0]!.offset };
  const acknowledged = async (name: string, request: unknown) => {
    compare(dashboards, name, [request]);
    const reply: unknown = await dashboard.socket.timeout(5_000).emitWithAck(name, request);
    compare(dashboards, `${name} (acknowledgement)`, [reply]);
  };
  await acknowledged('emissions:catch-up', from);
  await acknowledged('emissions:token', { token: await world.token(companyId) });
  await acknowledged('emissions:token', { token: 'x' });
  compare(dashboards, 'emissions:seen', [{ emissionId: meta.emissionId, acceptedAt: meta.acceptedAt }]);
  await eventually('emissions:passed', () => scoped.passed.length > 0);
  // Sent every 8 s.
  compare(dashboards, 'emissions:alive', [{ reads: true } satisfies Alive]);
  expect([...seen].sort()).toEqual(names.sort());

  const service = io(`${api.url}/internal`, { forceNew: true, auth: { apiKey: API_KEY } });
  world.keep(service, () => service.close());
  for (const request of [{ event: 'appointment:created', appointmentId }, { event: 'x' }]) {
    const reply: unknown = await service.timeout(5_000).emitWithAck('emit', request);
    compare(services, 'emit (acknowledgement)', [reply]);
  }
  expect(problems).toEqual([]);
});
