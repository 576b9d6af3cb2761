import { afterEach, expect, test } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { createEmbeddedWorld, PAIRS, startApplication } from '../embedded/application.ts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { pathsOf, type Sdk, startSdk, toTreeSpan } from './sdk.ts';

let world: World | undefined;
let sdk: Sdk | undefined;
afterEach(async () => {
  await world?.close();
  await sdk?.stop();
});

test("an embedded pipeline continues the application's own span, and its log lines have the ids", async () => {
  const ownSdk = (sdk = startSdk());
  const created = await createEmbeddedWorld();
  world = created.world;
  const application = await startApplication(world, PAIRS[0]);
  const client = await application.client({ token: await world.token(created.company.companyId) });

  const tracer = trace.getTracer('the application');
  const { traceId } = await eventually('the emission to be accepted', () =>
    tracer.startActiveSpan('check in', async (span) => {
      const isAccepted = await application.emissions.updated(created.appointmentId);
      span.end();
      return isAccepted ? span.spanContext() : undefined;
    }),
  );

  const spans = await eventually('the delivery and the end of the job', () => {
    const found = ownSdk.of(traceId);
    const names = found.map(({ name }) => name);
    return names.includes('deliver') && names.some((name) => name.startsWith('process')) ? found : undefined;
  });
  await eventually('the event', () => client.names().includes('appointment:updated'));
  const paths = pathsOf(spans.map(toTreeSpan));
  expect(paths).toContain(
    'check in > accept appointment:updated > add appointment-emissions.appointment:updated > ' +
      'process appointment-emissions > publish > deliver',
  );
  const [emitted] = application.lines.filter(({ message }) => message.includes('Emitted'));
  const process = spans.find(({ name }) => name.startsWith('process'));
  expect(emitted?.fields).toMatchObject({ trace_id: traceId, span_id: process!.spanContext().spanId });
});
