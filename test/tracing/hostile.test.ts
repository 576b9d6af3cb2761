import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import * as api from '@opentelemetry/api';
import { companyRoom, createTracing } from '@appointment-emissions/contracts';
import { traceShown } from '@appointment-emissions/dashboard/tracing';
import type { RunningApi } from '../../src/api/start-api.ts';
import { createBroadcastEncoder } from '../../src/emission/encode-broadcast.ts';
import { appointment, meta } from '../dashboard/appointment-fixture.ts';
import { openWorld } from '../dashboard/dashboard-world.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { type Sdk, startSdk } from './sdk.ts';

const [TRACE, SPAN] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
const GOOD = `00-${TRACE}-${SPAN}-01`;
const HOSTILE = [
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE.replace('4', 'g')}-${SPAN}-01`,
  `${GOOD}-more`,
  GOOD.repeat(200),
  'x',
];
/** What a field of a job or of a message can be, besides text. */
const NO_TEXT = [1, true, null, [GOOD], { traceId: TRACE }];

let sdk: Sdk;
let world: World | undefined;
let closePage: (() => Promise<void>) | undefined;
beforeEach(() => {
  sdk = startSdk();
});
afterEach(async () => {
  await closePage?.();
  await world?.close();
  await sdk.stop();
  world = closePage = undefined;
});

async function start(env: Record<string, string> = {}) {
  const own = (world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0', ...env } }));
  const [running, company] = await Promise.all([own.ready(own.api()), own.documents.company()]);
  return { world: own, api: running, company, appointmentId: await company.appointment() };
}

/** Posts with a header as often as it is given. Resolves to the status. */
function post(running: RunningApi, appointmentId: string, traceparent: string | string[]): Promise<number> {
  const body = JSON.stringify({ appointmentId });
  const headers = { 'content-type': 'application/json', 'x-api-key': API_KEY, traceparent };
  const url = `${running.url}/api/v1/internal/socket/appointment-created`;
  return until(
    'the reply',
    new Promise((resolve, reject) => {
      const sent = request(url, { method: 'POST', headers }, (response) => {
        response.resume().once('end', () => {
          resolve(response.statusCode ?? 0);
        });
      });
      sent.once('error', reject).end(body);
    }),
  );
}

test('a malformed, repeated or too long traceparent header begins a new trace', async () => {
  const { api: running, appointmentId } = await start();
  await eventually(
    'an emission to be accepted',
    async () => (await post(running, appointmentId, GOOD)) === 202,
  );
  for (const traceparent of [...HOSTILE, [GOOD, GOOD]]) {
    const status = await post(running, appointmentId, traceparent);
    // A test database may be slow.
    expect([202, 500]).toContain(status);
  }

  const accepted = await eventually('all requests', () => {
    const found = sdk.named('accept appointment:created');
    return found.length > HOSTILE.length + 1 ? found : undefined;
  });
  const ofCaller = accepted.filter(({ parentSpanContext }) => parentSpanContext);
  expect(ofCaller.every((span) => span.spanContext().traceId === TRACE)).toBe(true);
  expect(accepted.length - ofCaller.length).toBe(HOSTILE.length + 1);
});

test('a job with a malformed context is emitted without the spans of a worker', async () => {
  const { world: own, company, appointmentId } = await start({ API_CONCURRENCY: '0' });
  const forged = [...HOSTILE, ...NO_TEXT].map((context) => ({ context, emissionId: randomUUID() }));
  await Promise.all(
    forged.map(({ context, emissionId }) =>
      own.queue.add(
        'appointment:created',
        {
          ...{ v: 1, event: 'appointment:created', appointmentId, companyId: company.companyId, emissionId },
          acceptedAt: new Date().toISOString(),
          traceparent: context,
        },
        { jobId: emissionId, attempts: 3, telemetry: { metadata: context as string } },
      ),
    ),
  );
  own.worker();

  await Promise.all(forged.map(({ emissionId }) => own.jobIn(emissionId, 'completed')));
  expect(sdk.all().map(({ name }) => name)).toEqual([]);
});

test('a job of an older process, with its context in the data only, is published in its trace', async () => {
  const { world: own, company, appointmentId } = await start({ API_CONCURRENCY: '0' });
  const emissionId = randomUUID();
  await own.queue.add(
    'appointment:created',
    {
      ...{ v: 1, event: 'appointment:created', appointmentId, companyId: company.companyId, emissionId },
      acceptedAt: new Date().toISOString(),
      traceparent: GOOD,
    },
    { jobId: emissionId, attempts: 3 },
  );
  own.worker();

  await own.jobIn(emissionId, 'completed');
  const [publish] = await eventually('its publication', () => {
    const found = sdk.named('publish');
    return found.length > 0 ? found : undefined;
  });
  const { traceId, spanId } = publish!.parentSpanContext ?? {};
  expect([traceId, spanId]).toEqual([TRACE, SPAN]);
});

test('a message with a malformed context reaches the dashboards, without a span', async () => {
  const { world: own, api: running, company } = await start();
  const dashboard = await own.dashboard(running, company.companyId);
  const encode = createBroadcastEncoder(own.env['SOCKET_ADAPTER_KEY']!, '/');
  const publish = async (traceparent: unknown, offset: number): Promise<string> => {
    const stamped = { ...meta({ epoch: 'e', offset, emissionId: `Ann Bauer ${offset}` }), traceparent };
    const payload = { appointment: appointment({ _id: 'a'.repeat(24), companyId: company.companyId }) };
    const { channel, message } = encode(
      { to: companyRoom(company.companyId) },
      'appointment:updated',
      payload,
      stamped,
    );
    await own.redis.publish(channel, message);
    return stamped.emissionId;
  };

  const forged = [...HOSTILE, ...NO_TEXT, `00-${TRACE}-${SPAN}-00`];
  for (const [index, traceparent] of forged.entries()) {
    const emissionId = await publish(traceparent, index + 1);
    await dashboard.receive((received) => received.meta.emissionId === emissionId);
  }
  expect(sdk.all().map(({ name }) => name)).toEqual([]);

  const emissionId = await publish(GOOD, 100);
  const { meta: received } = await dashboard.receive((event) => event.meta.emissionId === emissionId);
  const [deliver] = sdk.named('deliver');
  expect(received.traceparent).toBe(`00-${TRACE}-${deliver!.spanContext().spanId}-01`);
  // The id of an emission has no spaces.
  expect(JSON.stringify(deliver!.attributes)).not.toContain('Ann');
});

test('the dashboard library shows events with a malformed context, without a span', async () => {
  const page = await openWorld();
  closePage = () => page.close();
  const { dashboard, becomes } = page.connect({ trace: traceShown({ api, share: 1 }) });
  const server = await page.server.connection();
  server.sendPosition({ epoch: 'e', offset: 0 });
  await becomes('live');

  const forged = [...HOSTILE, ...NO_TEXT, GOOD];
  for (const [index, traceparent] of forged.entries()) {
    server.send(`id-${index}`, { epoch: 'e', offset: index + 1, traceparent: traceparent as string });
  }
  await eventually('all to be shown', () => dashboard.appointments.size === forged.length);
  expect(sdk.named('show').map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([SPAN]);
});

test('spans that throw do not affect emissions', () => {
  const fail = () => {
    throw new Error('a broken span');
  };
  const broken = { spanContext: fail, isRecording: fail, setAttributes: fail, setStatus: fail, end: fail };
  const tracing = createTracing(
    {
      trace: {
        getTracerProvider: () => ({}),
        getTracer: () => ({ startSpan: () => broken }),
        getSpanContext: () => undefined,
        setSpanContext: (on: unknown) => on,
        setSpan: (on: unknown) => on,
      },
      context: { active: () => undefined, with: (_on: unknown, run) => run() },
      ROOT_CONTEXT: undefined,
    },
    'test',
  );

  const span = tracing!.start('accept', { kind: 'server', parent: GOOD });
  expect([span.traceparent, span.isRecording, span.run(() => 'ran')]).toEqual([GOOD, false, 'ran']);
  span.end({ 'emission.count': 1 });
  span.fail('DATABASE_ERROR', { 'emission.count': 1 });
});
