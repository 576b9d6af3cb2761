import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RequestHandler, Router } from 'express';
import { z } from 'zod';
import { createAdminRoutes } from '../../src/http/routes/admin-routes.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createApp } from '../../src/http/app.ts';
import { createDashboardRoutes } from '../../src/http/routes/dashboard-routes.ts';
import { createEmissionRoutes } from '../../src/http/routes/emission-routes.ts';
import { createHealthRoutes } from '../../src/http/routes/monitoring-routes.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import { fieldsOf } from '../docs/contract-types.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, type World } from '../harness/world.ts';
import { type Answer, CREDENTIALS, quietWorld } from './admin.ts';

let world: World;
let api: RunningApi;
let openApi: Answer;
let asyncApi: Answer;
beforeAll(async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on', EMISSION_ATTEMPTS: '1' });
  api = await world.api();
  world.worker();
  [openApi, asyncApi] = await Promise.all(
    ['openapi', 'asyncapi'].map(async (name) => (await fetch(`${api.url}/${name}.json`)).json()),
  );
});
afterAll(() => world.close());

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
  const documented = Object.entries(openApi.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  const { stack } = app.router as unknown as { stack: Layer[] };
  expect([...new Set(routesOf(stack))].sort()).toEqual(documented.sort());
});

test('every reference resolves, and every operation has its own id and its security', () => {
  for (const document of [openApi, asyncApi]) {
    for (const [, pointer = ''] of JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)) {
      const target = pointer
        .split('/')
        .slice(1)
        .reduce((at: Answer, key) => at?.[key], document);
      expect([pointer, typeof target]).toEqual([pointer, 'object']);
    }
  }
  const operations = Object.values(openApi.paths as Record<string, Record<string, Answer>>).flatMap(
    Object.values,
  );
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  for (const { security } of operations) {
    for (const name of (security as object[]).flatMap(Object.keys))
      expect(openApi.components.securitySchemes).toHaveProperty(name);
  }
});

/** Judges by the published document alone. */
function toSchema(document: Answer, schema: Answer) {
  const definitions = JSON.parse(
    JSON.stringify(document.components.schemas).replaceAll('#/components/schemas/', '#/$defs/'),
  );
  const root = JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/'));
  return z.fromJSONSchema({ ...root, $defs: definitions });
}

interface Sample {
  method?: string;
  /** As the document has it. */
  path: string;
  url?: string;
  headers?: Record<string, string>;
  body?: unknown;
  status: number;
}

async function expectAsDocumented({
  method = 'get',
  path,
  url = path,
  headers,
  body,
  status,
}: Sample): Promise<Answer> {
  const response = await fetch(`${api.url}${url}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  expect([path, response.status]).toEqual([path, status]);
  const documented = openApi.paths[path][method].responses[status];
  const type = response.headers.get('content-type')!.split(';')[0]!;
  const schema = documented?.content?.[type]?.schema;
  expect([path, status, type, typeof schema]).toEqual([path, status, type, 'object']);
  const answer: Answer = type.includes('json') ? await response.json() : await response.text();
  const verdict = toSchema(openApi, schema).safeParse(answer);
  expect([path, verdict.error?.issues]).toEqual([path, undefined]);
  return answer;
}

const KEY = { 'x-api-key': API_KEY };
const OPERATOR = { authorization: CREDENTIALS };
const INTERNAL = '/api/v1/internal/socket';

test('the replies of a real API match the document', async () => {
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const single = { method: 'post', headers: KEY };
  for (const slug of ['appointment-created', 'appointment-updated', 'appointment-canceled']) {
    await expectAsDocumented({
      ...single,
      path: `${INTERNAL}/${slug}`,
      body: { appointmentId },
      status: 202,
    });
  }
  const created = { ...single, path: `${INTERNAL}/appointment-created` };
  const { emissionId } = await expectAsDocumented({ ...created, body: { appointmentId }, status: 202 });
  await expectAsDocumented({ ...created, body: { appointmentId: 'x' }, status: 400 });
  await expectAsDocumented({ ...created, body: '{', status: 400 });
  await expectAsDocumented({ ...created, body: { appointmentId }, headers: {}, status: 401 });
  await expectAsDocumented({
    ...created,
    body: { appointmentId },
    headers: { 'x-api-key': 'x' },
    status: 403,
  });
  await expectAsDocumented({ ...created, body: { appointmentId: 'f'.repeat(24) }, status: 404 });
  await expectAsDocumented({ ...created, body: { appointmentId: 'f'.repeat(9_000) }, status: 413 });
  await expectAsDocumented({
    ...created,
    body: 'x',
    headers: { ...KEY, 'content-type': 'text/plain' },
    status: 415,
  });
  await expectAsDocumented({
    ...single,
    path: `${INTERNAL}/batch`,
    body: { emissions: [{ event: 'appointment:created', appointmentId }, { event: 'x' }] },
    status: 202,
  });

  await world.jobIn(emissionId, 'completed');
  const one = `${INTERNAL}/emissions/{emissionId}`;
  await expectAsDocumented({
    path: one,
    url: `${INTERNAL}/emissions/${emissionId}`,
    headers: KEY,
    status: 200,
  });
  await expectAsDocumented({ path: one, url: `${INTERNAL}/emissions/none`, headers: KEY, status: 404 });
  const list = `${INTERNAL}/emissions`;
  await expectAsDocumented({
    path: list,
    url: `${list}?appointmentId=${appointmentId}`,
    headers: KEY,
    status: 200,
  });
  await expectAsDocumented({ path: list, headers: KEY, status: 400 });

  const token = await world.token(company.companyId);
  const dashboard = '/api/v1/dashboard/appointments';
  const found = await expectAsDocumented({
    path: dashboard,
    headers: { authorization: `Bearer ${token}` },
    status: 200,
  });
  expect(found.appointments).toHaveLength(1);
  await expectAsDocumented({ path: dashboard, status: 401 });

  const foreign = await company.appointment();
  await world.queue.pause();
  const failed = await world.emit(api, 'appointment-created', foreign);
  await world.documents.giveAway(foreign);
  await world.queue.resume();
  await world.jobIn(failed, 'failed');
  await expectAsDocumented({ path: one, url: `${INTERNAL}/emissions/${failed}`, headers: KEY, status: 200 });
  const overview = await expectAsDocumented({ path: '/admin/api/overview', headers: OPERATOR, status: 200 });
  expect(overview.failures).toHaveLength(1);
  await expectAsDocumented({ path: '/admin/api/overview', status: 401 });
  await expectAsDocumented({ path: '/admin/api/series', headers: OPERATOR, status: 200 });
  const companies = { path: '/admin/api/companies', headers: OPERATOR };
  const listed = await expectAsDocumented({ ...companies, url: `${companies.path}?prefix=`, status: 200 });
  expect(listed.companies).toContain(company.companyId);
  await expectAsDocumented({ ...companies, url: `${companies.path}?prefix=x`, status: 400 });
  const repair = { method: 'post', headers: OPERATOR };
  await expectAsDocumented({
    ...repair,
    path: '/admin/api/retry-failed',
    body: { since: '1h', dryRun: true },
    status: 200,
  });
  await expectAsDocumented({ ...repair, path: '/admin/api/retry-failed', body: {}, status: 400 });
  await expectAsDocumented({
    ...repair,
    path: '/admin/api/retry',
    body: { emissionId: failed },
    status: 200,
  });
  await expectAsDocumented({
    ...repair,
    path: '/admin/api/retry',
    body: { emissionId: 'none' },
    status: 404,
  });
  const { companyId } = company;
  await expectAsDocumented({
    ...repair,
    path: '/admin/api/re-emit',
    body: { companyId, since: '1h' },
    status: 200,
  });
  await expectAsDocumented({ ...repair, path: '/admin/api/disconnect', body: { companyId }, status: 200 });

  await expectAsDocumented({ path: '/api/v1/internal/metrics', headers: KEY, status: 200 });
  await expectAsDocumented({ path: '/metrics', headers: KEY, status: 200 });
  for (const path of ['/livez', '/readyz', '/health', '/openapi.json', '/asyncapi.json', '/docs']) {
    await expectAsDocumented({ path, status: 200 });
  }
});

test('the events and replies on a socket match the document, and every event is documented', async () => {
  const events = fieldsOf('DashboardServerEvents').concat(fieldsOf('DashboardClientEvents'));
  const documented = Object.values(asyncApi.channels.dashboards.messages as Record<string, Answer>)
    .map(({ name }) => name)
    .filter((name: string) => !name.includes('acknowledgement'));
  expect(documented.sort()).toEqual(events.map(({ field }) => field.replaceAll("'", '')).sort());

  const { dashboards } = asyncApi.channels;
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const emissionId = await world.emit(api, 'appointment-created', await company.appointment());
  const { payload, meta } = await dashboard.receive((received) => received.meta.emissionId === emissionId);
  const { epoch, offset } = dashboard.positions[0]!;
  const answer: unknown = await dashboard.socket.emitWithAck('emissions:catch-up', { epoch, offset });
  await eventually('a position', () => dashboard.positions.length > 1);

  const samples: [string, unknown[]][] = [
    ['appointmentCreated', [payload, meta]],
    ['emissionsPosition', [dashboard.positions[0]]],
    ['emissionsCatchUp', [{ epoch, offset }]],
    ['emissionsCatchUpAnswer', [answer]],
  ];
  for (const [message, args] of samples) {
    const schema = toSchema(asyncApi, dashboards.messages[message].payload);
    expect([message, schema.safeParse(args).error?.issues]).toEqual([message, undefined]);
  }
  const strict = toSchema(asyncApi, dashboards.messages.appointmentCreated.payload);
  expect(strict.safeParse([{ ...payload, more: 1 }, meta]).success).toBe(false);
});
