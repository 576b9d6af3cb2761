import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Emitter } from '@socket.io/redis-emitter';
import { companyRoom } from '@appointment-emissions/contracts';
import type { RunningApi } from '../../src/api/start-api.ts';
import { OPERATIONS } from '../../src/http/docs/operations.ts';
import { startHoldingProxy } from '../embedded/hold-replies.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { admin } from '../operate/admin.ts';

/** A world with direct jobs on a busy machine too, and without the sweep. */
let world: World;
let api: RunningApi;
beforeAll(async () => {
  world = await createWorld({
    env: { RECONCILE_INTERVAL_MS: '0', ADMIN_WRITES: 'on' },
    limits: { MAX_DIRECT_UTILIZATION: 1, MAX_CATCH_UPS_PER_SECOND: 0.3, MAX_SOCKETS_PER_COMPANY: 3 },
  });
  api = await world.ready(world.api());
});
afterAll(() => world.close());

/** The samples of one metric of a process: labels → value. */
async function scrape(of: { url: string }, name: string): Promise<Record<string, number>> {
  const response = await fetch(`${of.url}/metrics`, { headers: { 'x-api-key': API_KEY } });
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith(`${name}{`));
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = '', value] = /^[^{]+\{(.*)\} (\S+)$/.exec(line) ?? [];
      return [labels, Number(value)];
    }),
  );
}

/** Samples that differ from those of `before`, by how much. */
async function increases(of: { url: string }, name: string, before: Record<string, number>) {
  const now = Object.entries(await scrape(of, name));
  return Object.fromEntries(
    now
      .map(([labels, value]) => [labels, value - (before[labels] ?? 0)] as const)
      .filter(([, more]) => more !== 0),
  );
}

/** Resolves when a metric has increased by exactly these values. */
async function increased(
  name: string,
  before: Record<string, number>,
  expected: Record<string, number>,
  of: { url: string } = api,
): Promise<void> {
  let found: Record<string, number> = {};
  await eventually(name, async () => {
    found = await increases(of, name, before);
    return Object.entries(expected).every(([labels, more]) => (found[labels] ?? 0) >= more);
  }).catch(() => undefined);
  expect(found).toEqual(expected);
}

const disconnected = (dashboard: Dashboard) =>
  eventually('the dashboard to be disconnected', () => !dashboard.socket.connected);

test('the build is named by the version of the package and of Node.js', async () => {
  const { version } = (await import('../../package.json', { with: { type: 'json' } })).default;
  expect(await scrape(api, 'emission_build_info')).toEqual({
    [`version="${version}",node="${process.versions.node}",commit="unknown"`]: 1,
  });
});

test('dashboards that disconnect are counted by reason, as are dashboards above the limit of their company', async () => {
  const before = await scrape(api, 'emission_dashboard_disconnects_total');
  const refused = await scrape(api, 'emission_rejected_total');
  const { companyId } = await world.documents.company();
  const [leaving, closed, cut] = await Promise.all([
    world.dashboard(api, companyId),
    world.dashboard(api, companyId),
    world.dashboard(api, companyId),
  ]);
  await expect(world.dashboard(api, companyId)).rejects.toThrow('limit of connected dashboards');
  await increased('emission_rejected_total', refused, { 'reason="RATE_LIMITED"': 1 });

  leaving.close();
  closed.socket.io.engine.close();
  await increased('emission_dashboard_disconnects_total', before, {
    'reason="client namespace disconnect"': 1,
    'reason="transport close"': 1,
  });
  closed.close();
  await admin(api, 'disconnect', { companyId });
  await disconnected(cut);
  const expiring = await world.dashboard(api, companyId, { token: await world.token(companyId, 1) });
  await disconnected(expiring);
  await eventually('the reasons that are ours', async () => {
    const found = await increases(api, 'emission_dashboard_disconnects_total', before);
    return found['reason="operator"'] === 1 && found['reason="token expired"'] === 1;
  });
});

test('catch-ups are counted by their result', async () => {
  const before = await scrape(api, 'emission_catch_ups_total');
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const first = await world.dashboard(api, company.companyId);
  const { epoch } = first.positions[0]!;
  const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
  await first.receive(({ meta }) => meta.emissionId === emissionId);
  const missed = await world.dashboard(api, company.companyId, { position: { epoch, offset: 0 } });
  missed.close();
  const lost = await world.dashboard(api, company.companyId, { position: { epoch: 'other', offset: 1 } });
  lost.close();

  const catchUp = async (position: unknown): Promise<unknown> =>
    first.socket.timeout(5_000).emitWithAck('emissions:catch-up', position);
  await catchUp({ epoch, offset: 1 });
  await catchUp(`${'x'.repeat(1_000)}"} 1`);
  await catchUp({ epoch, offset: -1 });
  expect(await catchUp({ epoch, offset: 1 })).toMatchObject({ reason: 'rate-limited' });
  first.close();
  await increased('emission_catch_ups_total', before, {
    'result="first"': 1,
    'result="current"': 1,
    'result="replayed"': 1,
    'result="epoch"': 1,
    'result="invalid"': 2,
    'result="rate-limited"': 1,
  });
});

test('an emission is delivered once per gateway; a time in the future is left out, not counted as negative', async () => {
  const count = 'emission_stage_duration_seconds_count';
  const before = await scrape(api, count);
  const outliers = await scrape(api, 'emission_outliers_total');
  const company = await world.documents.company();
  const dashboards = [
    await world.dashboard(api, company.companyId),
    await world.dashboard(api, company.companyId),
  ];
  const appointmentId = await company.appointment();
  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  for (const { receive } of dashboards) await receive(({ meta }) => meta.emissionId === emissionId);
  await world.jobIn(emissionId, 'completed');
  expect((await increases(api, count, before))['stage="deliver"']).toBe(1);

  // Of another publisher, or of a worker whose clock is wrong.
  const emitter = new Emitter(world.redis, { key: world.env['SOCKET_ADAPTER_KEY']! });
  const acceptedAt = new Date().toISOString();
  const send = (publishedAt: unknown): string => {
    const id = randomUUID();
    emitter
      .to(companyRoom(company.companyId))
      .emit(
        'appointment:updated',
        { appointment: { _id: appointmentId, companyId: company.companyId } },
        { emissionId: id, acceptedAt, publishedAt },
      );
    return id;
  };
  for (const publishedAt of ['yesterday', 7, null, ['x']]) send(publishedAt);
  const last = send(new Date(Date.now() + 3_600_000).toISOString());
  await dashboards[0]!.receive(({ meta }) => meta.emissionId === last);
  await increased('emission_outliers_total', outliers, { 'stage="deliver"': 1 });
  expect((await increases(api, count, before))['stage="deliver"']).toBe(1);
  for (const { close } of dashboards) close();
});

test('the series of server errors of each documented route start at 0', async () => {
  const series = await scrape(api, 'emission_http_request_duration_seconds_count');
  for (const route of ['/api/v1/internal/socket/batch', '/api/v1/dashboard/appointments', '/readyz'])
    expect(series).toHaveProperty([`route="${route}",code="503"`]);
});

test('requests are counted by documented route and status; no path, method or header makes a new route', async () => {
  const name = 'emission_http_request_duration_seconds_count';
  const before = await scrape(api, name);
  const paths = [
    '/api/v1/internal/socket/batch',
    '/API/v1/internal/Socket/Batch/?x=1',
    '/api/v1/internal/socket/emissions/x%22%7d',
    `/api/v1/internal/socket/${'a'.repeat(3_000)}`,
    '/x/metrics',
    '/livez/../metrics',
    '/%2e%2e/livez',
    '//livez',
    '/admin/queues/api/queues?a="b"',
    'http://elsewhere/livez',
    '*',
    '/livez',
  ];
  const { hostname, port } = new URL(api.url);
  for (const path of paths) {
    const answered = new Promise<void>((resolve, reject) => {
      const headers = { 'user-agent': `"} 1\\n${randomUUID()}` };
      const sent = httpRequest({ hostname, port, path, method: path === '*' ? 'OPTIONS' : 'GET', headers });
      sent.on('error', reject).on('response', (response) => response.resume().on('end', resolve));
      sent.end();
    });
    await until(`an answer to ${path.slice(0, 50)}`, answered);
  }
  const found = await increases(api, name, before);
  const routes = new Set(Object.keys(found).map((labels) => /route="([^"]*)"/.exec(labels)![1]!));
  const documented = OPERATIONS.map(({ path }) => path);
  expect([...routes].filter((route) => !documented.includes(route)).sort()).toEqual([
    '/admin/queues',
    'other',
  ]);
  expect(found).toMatchObject({
    'route="/api/v1/internal/socket/batch",code="401"': 2,
    'route="/api/v1/internal/socket/emissions/{emissionId}",code="401"': 1,
    'route="/admin/queues",code="401"': 1,
  });
  expect(found['route="/livez",code="200"']).toBeGreaterThanOrEqual(1);
});

test('repeated requests and direct jobs are counted', async () => {
  const repeats = async () =>
    Number(
      /^emission_idempotent_repeats_total (\d+)$/m.exec(
        await (await fetch(`${api.url}/metrics`, { headers: { 'x-api-key': API_KEY } })).text(),
      )![1],
    );
  const [before, direct] = [await repeats(), await scrape(api, 'emission_direct_jobs_total')];
  const appointmentId = await (await world.documents.company()).appointment();
  const headers = { 'Idempotency-Key': randomUUID() };
  const first = await eventually('the first request', async () => {
    const response = await world.post(api, 'appointment-updated', { appointmentId }, headers);
    return response.status === 202 && response.headers.get('Idempotency-Replayed') === null;
  });
  expect(first).toBe(true);
  for (let again = 0; again < 2; again += 1)
    await world.post(api, 'appointment-updated', { appointmentId }, headers);
  await eventually('the repeats', async () => (await repeats()) === before + 2);
  await increased('emission_direct_jobs_total', direct, { 'result="direct"': 1 });
});

test('a snapshot whose order token has changed is counted, for emissions and for lists', async () => {
  const proxy = await startHoldingProxy(world.env['MONGODB_URI']!);
  world.keep(proxy, () => {
    proxy.close();
  });
  const slow = await world.ready(world.api({ MONGODB_URI: proxy.uri }));
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const dashboard = await world.dashboard(api, company.companyId);
  const token = await world.token(company.companyId);
  const list = (of: { url: string }) =>
    fetch(`${of.url}/api/v1/dashboard/appointments`, { headers: { authorization: `Bearer ${token}` } });
  const holdRead = () => proxy.holdReplies(1, Buffer.from('aggregate'), Buffer.from(appointmentId, 'hex'));

  const before = await scrape(slow, 'emission_order_losses_total');
  const ofEmission = holdRead();
  const emissionId = await world.emit(slow, 'appointment-updated', appointmentId);
  await until('the read of the emission', ofEmission.all);
  expect((await list(api)).status).toBe(200);
  ofEmission.release();
  await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  await increased('emission_order_losses_total', before, { 'use="publish"': 1 }, slow);

  const ofList = holdRead();
  const listed = list(slow);
  await until('the read of the list', ofList.all);
  const newer = await world.emit(api, 'appointment-updated', appointmentId);
  await dashboard.receive(({ meta }) => meta.emissionId === newer);
  ofList.release();
  expect((await listed).status).toBe(200);
  await increased('emission_order_losses_total', before, { 'use="publish"': 1, 'use="read"': 1 }, slow);
});
