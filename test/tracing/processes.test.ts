import { afterEach, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { readLogLines } from '../harness/log-lines.ts';
import { freshDir } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { pathsOf, type SpanOfTree } from './sdk.ts';

const FIXTURE = new URL('../harness/fixtures/tracing.mjs', import.meta.url).href;
const [TRACE, SPAN] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];

interface WrittenSpan extends SpanOfTree {
  traceId: string;
  process: number;
}

let world: World | undefined;
afterEach(() => world?.close());

test('an SDK loaded with --import reports the spans of API and worker processes, and log lines have the ids', async () => {
  const file = `${freshDir('spans')}.jsonl`;
  world = await createWorld({
    env: {
      RECONCILE_INTERVAL_MS: '0',
      API_CONCURRENCY: '0',
      CANARY_INTERVAL_MS: '200',
      SPANS_FILE: file,
      NODE_OPTIONS: `--import=${FIXTURE}`,
    },
  });
  const [api, worker] = await Promise.all([world.ready(world.apiProcess()), world.workerProcess()]);
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const dashboard = await world.dashboard(api, company.companyId);

  const emissionId = await eventually('an emission to be accepted', async () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    const reply = await world!.post(api, 'appointment-created', { appointmentId }, { traceparent });
    return ((await reply.json()) as { emissionId?: string }).emissionId;
  });
  const { meta } = await dashboard.receive((event) => event.meta.emissionId === emissionId);
  await world.jobIn(emissionId, 'completed');

  const spans = await eventually('all spans', () => {
    const found = existsSync(file) ? readSpans(file) : [];
    const names = found.map(({ name }) => name);
    if (names.some((name) => name.startsWith('process')) && names.includes('deliver')) return found;
    throw new Error(`only ${names.join()}`);
  });
  // No canary, and nothing that BullMQ does besides jobs.
  expect([...new Set(spans.map(({ traceId }) => traceId))]).toEqual([TRACE]);
  expect(pathsOf(spans)).toEqual([
    'accept appointment:created',
    'accept appointment:created > add appointment-emissions.appointment:created',
    'accept appointment:created > add appointment-emissions.appointment:created > process appointment-emissions',
    ...['publish', 'publish > deliver', 'read'].map(
      (path) =>
        `accept appointment:created > add appointment-emissions.appointment:created > process appointment-emissions > ${path}`,
    ),
  ]);
  const pidOf = (name: string) => spans.find((span) => span.name === name)?.process;
  expect([pidOf('accept appointment:created'), pidOf('publish'), pidOf('deliver')]).toEqual([
    api.pid,
    worker.pid,
    api.pid,
  ]);
  expect(meta.traceparent).toMatch(new RegExp(`^00-${TRACE}-`));

  const lines = await eventually('a line of each process', () => {
    const found = readLogLines(world!.env['LOG_DIR']!).filter((line) => line.emissionId === emissionId);
    return found.length === 2 ? found : undefined;
  });
  for (const line of lines) expect(line).toMatchObject({ trace_id: TRACE });
});

function readSpans(file: string): WrittenSpan[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as WrittenSpan);
}
