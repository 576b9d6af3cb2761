import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type * as bots from '@appointment-emissions/bot';
import type * as dashboards from '@appointment-emissions/dashboard';
import { createReadLastPublished } from '../../src/emission/last-published.ts';
import { freshDir } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import {
  APPOINTMENTS,
  COMPANY_ID,
  decodeMessage,
  DELETED_ID,
  folderOf,
  freezeRelease,
  frozenJob,
  IDEMPOTENCY_KEY,
  missingParts,
  publishMessage,
  readRelease,
  recordMessages,
  restoreKeys,
  UPDATED_AT,
  writeDocuments,
} from './frozen-release.ts';

/** The first release. Its processes must work beside those of every later version. */
const VERSION = '0.1.0';

let world: World;
beforeEach(async () => {
  world = await createWorld({
    env: { API_CONCURRENCY: '0', RECONCILE_INTERVAL_MS: '0', ADMIN_WRITES: 'on' },
  });
});
afterEach(() => world.close());

const { FREEZE_RELEASE } = process.env;
if (FREEZE_RELEASE !== undefined) {
  test('freezes the state and the libraries of a release', () => freezeRelease(world, FREEZE_RELEASE));
}

const release = readRelease(VERSION);
const { emissions } = release;

test('a new worker publishes the waiting jobs of a release, and retries its failed ones', async () => {
  await restoreKeys(world, release);
  await writeDocuments(world);
  const api = await world.ready(world.api());
  const dashboard = await world.dashboard(api, COMPANY_ID);
  const read = async (emissionId: string) => {
    const response = await fetch(`${api.url}/api/v1/internal/socket/emissions/${emissionId}`, {
      headers: { 'x-api-key': API_KEY },
    });
    return (await response.json()) as Record<string, unknown>;
  };
  expect(await read(emissions.published)).toMatchObject({
    state: 'completed',
    offset: 1,
    endedAt: expect.any(String),
  });
  expect(await read(emissions.failed)).toMatchObject({
    state: 'failed',
    attempts: [{ attempt: 1, error: expect.stringContaining('COMPANY_MISMATCH') }],
  });
  expect(await read(emissions.waiting)).toMatchObject({ state: 'waiting' });
  expect(await read(emissions.inBatch)).toMatchObject({ state: 'prioritized' });
  const retried = await fetch(`${api.url}/admin/api/retry`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('admin:admin-password')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ emissionId: emissions.failed }),
  });
  expect(retried.status).toBe(200);

  world.worker();
  for (const kind of ['waiting', 'inBatch', 'failed'] as const) {
    const { payload, meta } = await dashboard.receive(
      ({ meta }) => meta.emissionId === emissions[kind],
      kind,
    );
    expect([kind, payload.appointment._id]).toEqual([kind, APPOINTMENTS[kind]]);
    // The company log of the release had four entries.
    expect(meta.offset).toBeGreaterThan(4);
  }
});

test('a worker of a release can run new jobs', async () => {
  await writeDocuments(world);
  const api = await world.ready(world.api());
  const emissionId = await world.emit(api, 'appointment-updated', APPOINTMENTS.waiting);
  const now = await world.redis.hgetall(world.queue.toKey(emissionId));
  const then = frozenJob(release, emissions.waiting);
  const parse = ({ data = '', opts = '', ...job }: Record<string, string>) => ({
    ...job,
    data: JSON.parse(data) as { v: number },
    opts: JSON.parse(opts) as object,
  });
  expect(missingParts(parse(then), parse(now))).toEqual([]);
  expect(parse(now).data.v).toBe(parse(then).data.v);
});

test('a repeated request gets the emission id that a release gave it', async () => {
  await restoreKeys(world, release);
  await writeDocuments(world);
  const api = await world.ready(world.api());
  const reply = await world.post(
    api,
    'appointment-updated',
    { appointmentId: APPOINTMENTS.published },
    { 'Idempotency-Key': IDEMPOTENCY_KEY },
  );
  expect(await reply.json()).toMatchObject({ emissionId: emissions.idempotent });
  expect(reply.headers.get('idempotency-replayed')).toBe('true');
});

test('a dashboard continues at a stream position of a release', async () => {
  await restoreKeys(world, release);
  await writeDocuments(world);
  const api = await world.ready(world.api());
  const key = world.keys.position(COMPANY_ID);
  const [epoch = '', offset] = (await world.redis.hmget(key, 'epoch', 'offset')) as string[];
  expect(Number(offset)).toBe(4);
  const dashboard = await world.dashboard(api, COMPANY_ID, { position: { epoch, offset: 1 } });
  expect(dashboard.positions[0]).toEqual({ epoch, offset: 4, recovered: true });
  const replayed = dashboard.received.map(({ event, payload }) => [event, payload.appointment._id]);
  expect(replayed).toEqual([
    ['appointment:updated', APPOINTMENTS.published],
    ['appointment:deleted', DELETED_ID],
    ['appointment:updated', APPOINTMENTS.published],
  ]);
});

test('the sweep and capture find what a release has published', async () => {
  await restoreKeys(world, release);
  const read = createReadLastPublished({
    redis: world.redis,
    keys: world.keys,
    reportDamage: (kind) => {
      throw new Error(`damaged: ${kind}`);
    },
  });
  expect(await read(COMPANY_ID, APPOINTMENTS.published)).toEqual({
    updatedAt: UPDATED_AT.getTime(),
    status: 'scheduled',
    // Written only if capture is on.
    digest: '',
  });
  expect(await read(COMPANY_ID, DELETED_ID)).toBe('deletion');
  expect(await read(COMPANY_ID, APPOINTMENTS.waiting)).toBeUndefined();
});

test('the counts of a release continue', async () => {
  await restoreKeys(world, release);
  const api = await world.ready(world.api());
  const response = await fetch(`${api.url}/api/v1/internal/metrics`, { headers: { 'x-api-key': API_KEY } });
  const { overall } = (await response.json()) as { overall: { total: object } };
  expect(overall.total).toMatchObject({ accepted: 7, published: 4, failed: 1 });
});

test('a gateway forwards messages of a worker of a release', async () => {
  await writeDocuments(world);
  const api = await world.ready(world.api());
  const dashboard = await world.dashboard(api, COMPANY_ID);
  for (const message of release.messages) await publishMessage(world, message);
  const { payload, meta } = await dashboard.receive(({ meta }) => meta.emissionId === emissions.published);
  expect(payload.appointment).toMatchObject({
    _id: APPOINTMENTS.published,
    customerId: { fullName: 'Ann Bauer' },
  });
  expect(meta).toMatchObject({ event: 'appointment:created', offset: 1, read: 0, replayed: false });
  await dashboard.receive(({ event }) => event === 'appointment:deleted');
});

test('a gateway of a release can read the messages of a new worker', async () => {
  await writeDocuments(world);
  const api = await world.ready(world.api());
  const messages = await recordMessages(world);
  world.worker();
  await world.emit(api, 'appointment-created', APPOINTMENTS.published);
  await world.post(api, 'appointment-deleted', { appointmentId: DELETED_ID, companyId: COMPANY_ID });
  await eventually('two messages', () => messages.length === 2);
  const eventOf = (message: unknown) => (message as [string, { data: [string] }])[1].data[0];
  const now = messages.map(({ message }) => decodeMessage(message));
  const then = release.messages.map(({ message }) => decodeMessage(Buffer.from(message, 'base64')));
  for (const event of ['appointment:created', 'appointment:deleted']) {
    const [old, current] = [then, now].map((all) => all.find((message) => eventOf(message) === event));
    expect([event, missingParts(old, current)]).toEqual([event, []]);
    expect([event, (current as unknown[]).length]).toEqual([event, (old as unknown[]).length]);
  }
});

/** A library of the release. Today's has at least its exports. */
const load = async <Library>(name: string): Promise<Library> =>
  (await import(pathToFileURL(join(folderOf(VERSION), `${name}.mjs`)).href)) as Library;

test('the libraries of a release work with a new server', async () => {
  const { createRealtimeAppointments } = await load<typeof bots>('bot');
  const { connectDashboard } = await load<typeof dashboards>('dashboard');
  const company = await writeDocuments(world);
  const api = await world.ready(world.api());
  world.worker();
  const dashboard = connectDashboard({ url: api.url, getToken: () => world.token(COMPANY_ID) });
  world.keep(dashboard, dashboard.close);
  await eventually('the dashboard to be live', () => dashboard.state === 'live');

  const appointmentId = await company.appointment({ notes: 'sent by the old library' });
  const bot = createRealtimeAppointments({ backendUrl: api.url, apiKey: API_KEY, logDir: freshDir('bot') });
  world.keep(bot, () => bot.close());
  await eventually('the bot to emit', () => bot.emitAppointmentCreated(appointmentId));
  const shown = () => dashboard.appointments.get(appointmentId)?.appointment.notes as string | undefined;
  await eventually('the appointment on the screen', () => shown() === 'sent by the old library');

  expect(await bot.emitAppointmentDeleted(DELETED_ID, COMPANY_ID)).toBe(true);
});
