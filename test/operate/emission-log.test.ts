import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import { INTERNAL_NAMESPACE } from '@appointment-emissions/contracts';
import { eventually, until } from '../harness/until.ts';
import { readLog, readLogLines } from '../harness/log-lines.ts';
import { ownMongo } from '../harness/own-services.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import type { Spawned } from '../harness/processes.ts';
import { quietWorld } from './admin.ts';

const UNKNOWN = '0123456789abcdef01234567';
const PERSONAL = 'ann@example.org';

let world: World;
let api: Spawned;
beforeAll(async () => {
  world = await quietWorld({ LOG_LEVEL: 'debug' });
  [api] = await Promise.all([world.ready(world.apiProcess()), world.workerProcess()]);
});
afterAll(() => world.close());

const readLines = () => readLogLines(world.env['LOG_DIR']!);

/** Resolves to the line of the refusal with this code. */
const refusal = (code: string, appointmentId?: string) =>
  eventually(`the line about ${code}`, () =>
    readLines().find((line) => line.code === code && line.appointmentId === appointmentId),
  );

test.each([
  [
    'an unknown appointment',
    { appointmentId: UNKNOWN },
    {},
    'APPOINTMENT_NOT_FOUND',
    `[InternalSocket] Failed to emit appointment:updated for ${UNKNOWN}`,
  ],
  [
    'a malformed id',
    { appointmentId: PERSONAL },
    {},
    'INVALID_APPOINTMENT_ID',
    '[InternalSocket] Failed to emit appointment:updated',
  ],
  [
    'an unusable Idempotency-Key',
    { appointmentId: UNKNOWN },
    { 'Idempotency-Key': 'x'.repeat(300) },
    'INVALID_IDEMPOTENCY_KEY',
    `[InternalSocket] Failed to emit appointment:updated for ${UNKNOWN}`,
  ],
  [
    'a missing key',
    {},
    { 'x-api-key': '' },
    'API_KEY_MISSING',
    '[InternalSocket] Failed to emit: the caller was refused',
  ],
  [
    'a wrong key',
    {},
    { 'x-api-key': 'wrong' },
    'API_KEY_WRONG',
    '[InternalSocket] Failed to emit: the caller was refused',
  ],
])('a request refused for %s has a line', async (_, body, headers, code, msg) => {
  await world.post(api, 'appointment-updated', body, headers);
  const id = msg.endsWith(UNKNOWN) ? UNKNOWN : undefined;
  expect(await refusal(code, id)).toMatchObject({ level: 40, msg, event: 'appointment:updated' });
});

test('each rejected item of a batch has a line', async () => {
  const appointmentId = '1'.repeat(24);
  const emissions = [
    { event: 'appointment:canceled', appointmentId },
    { event: PERSONAL, appointmentId },
    { event: 'appointment:created', appointmentId: PERSONAL },
  ];
  await world.post(api, 'batch', { emissions });
  const lines = await eventually('three lines', () => {
    const found = readLines().filter(({ code, msg }) => code !== undefined && / an event|:c/.test(msg));
    return found.length >= 3 ? found : undefined;
  });
  expect(lines.map(({ msg, code }) => [msg, code])).toEqual([
    [`[InternalSocket] Failed to emit appointment:canceled for ${appointmentId}`, 'APPOINTMENT_NOT_FOUND'],
    [`[InternalSocket] Failed to emit an event for ${appointmentId}`, 'INVALID_EVENT'],
    ['[InternalSocket] Failed to emit appointment:created', 'INVALID_APPOINTMENT_ID'],
  ]);
});

test('an emission refused on /internal has a line', async () => {
  const appointmentId = '2'.repeat(24);
  const service = io(new URL(INTERNAL_NAMESPACE, api.url).href, {
    transports: ['websocket'],
    auth: { apiKey: API_KEY },
  });
  world.keep(service, () => service.disconnect());
  const event = 'appointment:created';
  await until('the reply', service.emitWithAck('emit', { event, appointmentId }) as Promise<unknown>);
  expect(await refusal('APPOINTMENT_NOT_FOUND', appointmentId)).toMatchObject({
    msg: `[InternalSocket] Failed to emit appointment:created for ${appointmentId}`,
  });
});

test('all lines of API and worker about an emission begin with [InternalSocket], but for deliveries', async () => {
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  await world.jobIn(emissionId, 'completed');
  const lines = await eventually('the line of the worker', () => {
    const found = readLines();
    return found.some(({ msg }) => msg.startsWith('[InternalSocket] Emitted')) ? found : undefined;
  });
  const ids = [appointmentId, emissionId, UNKNOWN, '1'.repeat(24), '2'.repeat(24), '/internal/socket'];
  const about = lines.filter(
    (line) => line.msg !== 'delivered' && ids.some((id) => JSON.stringify(line).includes(id)),
  );
  expect(about.length).toBeGreaterThan(8);
  expect(about.filter(({ msg }) => !msg.startsWith('[InternalSocket] '))).toEqual([]);
  expect(JSON.stringify(lines)).not.toContain(PERSONAL);
});

test('a POST that fails in the server has a line with its cause', async () => {
  const mongo = await ownMongo();
  const own = await createWorld({ mongoUri: mongo.url, env: { CANARY_INTERVAL_MS: '0' } });
  try {
    const server = await own.ready(own.apiProcess());
    await mongo.stop();
    const response = await own.post(server, 'appointment-updated', { appointmentId: UNKNOWN });
    expect(response.status).toBe(500);
    await eventually('the line', () =>
      readLog(own.env['LOG_DIR']!).includes('[InternalSocket] Failed to emit: request failed'),
    );
  } finally {
    await own.close();
    await mongo.stop();
  }
});
