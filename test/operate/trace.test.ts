import { afterEach, expect, test } from '@jest/globals';
import { readLog, readLogLines } from '../harness/log-lines.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, type World } from '../harness/world.ts';
import { parseEmissionJob } from '../../src/queue/emission-job.ts';
import { type Answer, quietWorld } from './admin.ts';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

test('a traceparent is stored with the emission, and API and worker log it in one line each', async () => {
  world = await quietWorld();
  const [api] = await Promise.all([world.apiProcess(), world.workerProcess()]);
  const appointmentId = await (await world.documents.company()).appointment();
  const answer = await world.post(
    api,
    'appointment-created',
    { appointmentId },
    { traceparent: TRACEPARENT },
  );
  const { emissionId, statusUrl } = (await answer.json()) as Answer;
  await world.jobIn(emissionId, 'completed');

  const timeline = await fetch(`${api.url}${statusUrl}`, { headers: { 'x-api-key': API_KEY } });
  expect(await timeline.json()).toMatchObject({ state: 'completed', traceparent: TRACEPARENT });

  const lines = await eventually('both lines', () => {
    const found = readLogLines(world!.env['LOG_DIR']!).filter((line) => line.emissionId === emissionId);
    return found.length >= 2 ? found : undefined;
  });
  // The processes append to the file independently of each other.
  lines.sort((a, b) => a.name.localeCompare(b.name));
  expect(lines).toEqual([
    expect.objectContaining({
      name: 'api',
      msg: `[InternalSocket] Accepted appointment:created for ${appointmentId}`,
      emissionId,
      appointmentId,
      traceparent: TRACEPARENT,
    }),
    expect.objectContaining({
      name: 'worker',
      msg: `[InternalSocket] Emitted appointment:created for ${appointmentId}`,
      emissionId,
      attempt: 1,
      tookMs: expect.any(Number),
      traceparent: TRACEPARENT,
    }),
  ]);
  expect(lines[0]!.requestId).toMatch(/^[0-9a-f-]{36}$/);
});

test('at level debug the gateway logs each delivery, live and replayed, without its content', async () => {
  world = await quietWorld({ LOG_LEVEL: 'debug' });
  const [api, company] = await Promise.all([
    world.ready(world.apiProcess()),
    world.documents.company(),
    world.workerProcess(),
  ]);
  const live = await world.dashboard(api, company.companyId);
  const appointmentId = await company.appointment({ notes: 'private notes' });
  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  const { meta } = await live.receive((event) => event.meta.emissionId === emissionId);
  const behind = await world.dashboard(api, company.companyId, {
    position: { epoch: meta.epoch, offset: meta.offset - 1 },
  });
  await behind.receive((event) => event.meta.emissionId === emissionId);

  const logDir = world.env['LOG_DIR']!;
  const lines = await eventually('a line for each', () => {
    const found = readLogLines(logDir).filter(({ msg }) => msg === 'delivered');
    return found.length >= 2 ? found : undefined;
  });
  const delivered = { name: 'api', emissionId, appointmentId, attempt: 1, offset: meta.offset };
  expect(lines).toEqual([
    expect.objectContaining({ ...delivered, replayed: false, tookMs: expect.any(Number) }),
    expect.objectContaining({ ...delivered, replayed: true, tookMs: expect.any(Number) }),
  ]);
  expect(readLog(logDir)).not.toContain('private notes');
});

const job = {
  v: 1,
  event: 'appointment:created',
  appointmentId: 'a'.repeat(24),
  companyId: 'b'.repeat(24),
  emissionId: 'e',
  acceptedAt: '2026-11-23T09:00:00.000Z',
};

test.each([
  [job, job],
  [
    { ...job, traceparent: TRACEPARENT },
    { ...job, traceparent: TRACEPARENT },
  ],
  [{ ...job, traceparent: 'malformed' }, job],
  [{ ...job, addedLater: true }, job],
])('a job of another version of the API is parsed: %j', (given, understood) => {
  expect(JSON.parse(JSON.stringify(parseEmissionJob(given, given.event)))).toEqual(understood);
});

test('a malformed traceparent is left out, not refused', async () => {
  world = await quietWorld();
  const api = await world.api();
  const appointmentId = await (await world.documents.company()).appointment();
  const answer = await world.post(api, 'appointment-created', { appointmentId }, { traceparent: '00-xyz' });
  const { emissionId } = (await answer.json()) as Answer;
  expect(answer.status).toBe(202);
  expect((await world.jobs.get(emissionId))?.data).not.toHaveProperty('traceparent');
});
