import { afterEach, expect, test } from '@jest/globals';
import * as api from '@opentelemetry/api';
import type { Sampler } from '@opentelemetry/sdk-trace-node';
import { connectDashboard } from '@appointment-emissions/dashboard';
import { traceShown } from '@appointment-emissions/dashboard/tracing';
import { createRealtimeAppointments } from '@appointment-emissions/bot';
import { readPage } from '../docs/pages.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { pathsOf, pathsOfText, type Sdk, startSdk, toTreeSpan } from './sdk.ts';

const PAGE = readPage('docs/guides/tracing.md');

let world: World | undefined;
let sdk: Sdk | undefined;
afterEach(async () => {
  await world?.close();
  await sdk?.stop();
  world = sdk = undefined;
});

/** Bot, API with gateway, worker and dashboard of one company, in this process. */
async function start(env: Record<string, string>, sampler?: Sampler) {
  const ownSdk = (sdk = startSdk(sampler));
  const ownWorld = (world = await createWorld({
    env: { RECONCILE_INTERVAL_MS: '0', ...env },
    limits: { MAX_DIRECT_UTILIZATION: 1 },
  }));
  const [running, company] = await Promise.all([
    ownWorld.ready(ownWorld.api()),
    ownWorld.documents.company(),
  ]);
  ownWorld.worker();
  const logged: Record<string, unknown>[] = [];
  const bot = createRealtimeAppointments({
    backendUrl: running.url,
    apiKey: API_KEY,
    logger: (_level, _message, fields) => void logged.push({ ...fields }),
    deadlineMs: 20_000,
    attemptTimeoutMs: 10_000,
  });
  ownWorld.keep(bot, bot.close);
  const shown: string[] = [];
  const dashboard = connectDashboard({
    url: running.url,
    getToken: () => ownWorld.token(company.companyId),
    trace: traceShown({ api, share: 1 }),
  });
  ownWorld.keep(dashboard, dashboard.close);
  dashboard.on('appointment:created', ({ appointment: { _id } }) => shown.push(_id));
  await eventually('the dashboard to be live', () => dashboard.state === 'live');
  return { sdk: ownSdk, world: ownWorld, api: running, company, bot, dashboard, shown, logged };
}

test.each([
  ['through the queue', 'A worker runs the job', { API_CONCURRENCY: '0' }],
  ['as a direct job', 'The API runs the job', {}],
])('an emission %s is one trace from the bot to the dashboard', async (_how, heading, env) => {
  const { bot, company, shown, logged, ...started } = await start(env);
  const appointmentId = await company.appointment();

  expect(await bot.emitAppointmentCreated(appointmentId)).toBe(true);

  const [show] = await eventually('the span of the dashboard', () => {
    const found = started.sdk.named('show');
    return found.length > 0 ? found : undefined;
  });
  const { traceId } = show!.spanContext();
  const spans = await eventually('the span of the job', () => {
    const found = started.sdk.of(traceId);
    return found.some(({ name }) => name.startsWith('process')) ? found : undefined;
  });
  expect(shown).toEqual([appointmentId]);
  const [, tree = ''] = new RegExp(`${heading}[^\`]*\`\`\`text\n([^\`]*)`).exec(PAGE) ?? [];
  expect(pathsOf(spans.map(toTreeSpan))).toEqual(pathsOfText(tree));
  expect(logged.at(-1)).toMatchObject({ trace_id: traceId });

  const named = spans.filter(({ name }) => ['publish', 'deliver', 'show'].includes(name));
  for (const { attributes } of named) {
    expect(attributes).toMatchObject({
      'emission.appointment_id': appointmentId,
      'emission.company_id': company.companyId,
    });
  }
});

test('spans have the attributes of the guide and no others, and no personal data', async () => {
  const { bot, company, world: own, api: running, ...started } = await start({});
  const appointmentId = await company.appointment();
  await bot.emitAppointmentCreated(appointmentId);
  await bot.emitBatch([{ event: 'appointment:updated', appointmentId }]);
  // Refused, so that a span has a reason.
  await own.post(running, 'appointment-created', { appointmentId: 'f'.repeat(24) });
  await eventually('both emissions to be delivered', () => started.sdk.named('deliver').length >= 2);

  const documented = new Set([...PAGE.matchAll(/`((?:emission|bullmq)\.[\w.]+)`/g)].map(([, name]) => name));
  const found = new Set(started.sdk.all().flatMap(({ attributes }) => Object.keys(attributes)));
  expect([...found].filter((name) => !documented.has(name))).toEqual([]);
  const text = JSON.stringify(
    started.sdk.all().map(({ name, attributes, status, events }) => ({ name, attributes, status, events })),
  );
  for (const personal of ['Ann Bauer', 'ann@example.org', 'Rex', 'Poodle', 'first visit', 'Maya']) {
    expect(text).not.toContain(personal);
  }
  expect(text).toContain('APPOINTMENT_NOT_FOUND');
});

test('each emission of a batch is a trace, with a link to the request', async () => {
  const { bot, company, ...started } = await start({});
  const appointmentIds = await Promise.all([1, 2, 3].map(() => company.appointment()));

  const emissions = appointmentIds.map((appointmentId) => ({
    event: 'appointment:created' as const,
    appointmentId,
  }));
  expect(await bot.emitBatch(emissions)).toBe(true);

  const shows = await eventually('three spans of the dashboard', () => {
    const found = started.sdk.named('show');
    return found.length === 3 ? found : undefined;
  });
  const traces = new Set(shows.map((span) => span.spanContext().traceId));
  expect(traces.size).toBe(3);
  const [accept] = started.sdk.named('accept batch');
  for (const traceId of traces) {
    const roots = started.sdk.of(traceId).filter(({ parentSpanContext }) => !parentSpanContext);
    expect(roots.map(({ name }) => name)).toEqual(['add appointment-emissions-bulk.appointment:created']);
    expect(roots[0]!.links.map(({ context }) => context.spanId)).toEqual([accept!.spanContext().spanId]);
  }
  for (const read of started.sdk.named('read')) {
    const isShared = read.attributes['emission.count'] !== 1;
    expect(read.links).toHaveLength(isShared ? Number(read.attributes['emission.count']) : 0);
    expect(read.parentSpanContext === undefined).toBe(isShared);
  }
});

test('a sampler that throws, or a trace that is not sampled, does not affect emissions', async () => {
  let samples = 0;
  const sampler = {
    shouldSample: () => {
      samples += 1;
      if (samples % 2 === 0) throw new Error('a broken sampler');
      return { decision: 0 };
    },
    toString: () => 'broken',
  };
  const { bot, company, shown, dashboard, ...started } = await start({}, sampler);
  const metas: unknown[] = [];
  dashboard.on('appointment:created', (_payload, meta) => metas.push(meta));
  const appointmentIds = await Promise.all([1, 2, 3].map(() => company.appointment()));

  for (const appointmentId of appointmentIds) {
    expect(await bot.emitAppointmentCreated(appointmentId)).toBe(true);
  }

  await eventually('all to be shown', () => appointmentIds.every((id) => shown.includes(id)));
  expect(samples).toBeGreaterThan(0);
  expect(started.sdk.all().map(({ name }) => name)).toEqual([]);
  for (const meta of metas) expect(meta).not.toHaveProperty('traceparent');
});
