import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { FleetMetricsReading } from '@appointment-emissions/contracts';
import { Types } from 'mongoose';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import type { Dashboard } from '../harness/dashboard.ts';
import { fleetMetrics } from '../operate/admin.ts';
import { startRewritingProxy } from '../population/rewriting-proxy.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const CAPTURE = { CAPTURE: 'change-stream', CAPTURE_GRACE_MS: '50', RECONCILE_INTERVAL_MS: '0' };

let world: World;
let company: Company;
let api: RunningApi;
let dashboard: Dashboard;
beforeEach(async () => {
  world = await createWorld();
  company = await world.documents.company();
  api = await world.ready(world.api());
  dashboard = await world.dashboard(api, company.companyId);
});
afterEach(() => world.close());

const appointments = () => world.documents.models.Appointment.collection;
const byId = (id: string) => ({ _id: new Types.ObjectId(id) });
const keepPreImages = () =>
  world.documents.models.Appointment.db.db!.createCollection(appointments().collectionName, {
    changeStreamPreAndPostImages: { enabled: true },
  });
const tokenKey = () => `${world.env['QUEUE_PREFIX']!}:capture:token`;
const lock = () => world.redis.get(`${world.env['QUEUE_PREFIX']!}:capture:lock`);
const savedToken = async () =>
  (await world.redis.type(tokenKey())) === 'hash' ? world.redis.hget(tokenKey(), 'resumeToken') : null;
/** Resolves when the stream is open: its token is saved. @param before  a token that was saved earlier */
const isFollowed = (before?: string | null) =>
  eventually('a worker to read the change stream', async () => {
    const token = await savedToken();
    return token?.includes('_data') === true && token !== before;
  });
const eventsOf = (id: string) =>
  dashboard.received.filter(({ payload }) => payload.appointment._id === id).map(({ event }) => event);
/** The deadline allows for an owner that loses its lease on a busy machine: acquiring it again takes some seconds. */
const receive = (id: string, event: string) =>
  dashboard.receive(
    (got) => got.payload.appointment._id === id && got.event === event,
    `${event} of ${id}`,
    40_000,
  );

test('a booking, a change, a cancellation and a deletion without a call each reach the dashboard', async () => {
  await keepPreImages();
  world.worker(CAPTURE);
  await isFollowed();
  const id = await company.appointment();
  await receive(id, 'appointment:created');
  await company.change(id, { notes: 'second' });
  await receive(id, 'appointment:updated');
  await company.change(id, { status: 'canceled' });
  await receive(id, 'appointment:canceled');
  await appointments().deleteOne(byId(id));
  await receive(id, 'appointment:deleted');
});

test('the operator’s figures name the worker that reads the change stream', async () => {
  world.worker(CAPTURE);
  await isFollowed();
  const capture = await eventually('a heartbeat of the owner', async () => {
    const { fleet } = (await fleetMetrics(api)) as FleetMetricsReading;
    return fleet.processes.worker.find((process) => process.capture !== null)?.capture;
  });
  // Without a saved token the stream begins now.
  expect(capture).toEqual({ tokenAgeMs: expect.any(Number), restarts: 1 });
});

test('a deletion in a collection without pre-images reaches the company that the appointment was published for', async () => {
  world.worker(CAPTURE);
  await isFollowed();
  const id = await company.appointment();
  await receive(id, 'appointment:created');
  await appointments().deleteOne(byId(id));
  await receive(id, 'appointment:deleted');
});

test('a write that leaves updatedAt alone is emitted, and one to a field that is not sent is not', async () => {
  world.worker(CAPTURE);
  await isFollowed();
  const id = await company.appointment();
  await receive(id, 'appointment:created');
  await appointments().updateOne(byId(id), { $set: { internalRemark: 'x' } });
  await receive(await company.appointment(), 'appointment:created');
  expect(eventsOf(id)).toEqual(['appointment:created']);
  await appointments().updateOne(byId(id), { $set: { notes: 'moved' } });
  const { payload } = await receive(id, 'appointment:updated');
  expect(payload.appointment).toMatchObject({ notes: 'moved' });
});

test('a write that the bot announces within the grace is emitted once', async () => {
  world.worker({ ...CAPTURE, CAPTURE_GRACE_MS: '1000' });
  await isFollowed();
  const id = await company.appointment();
  await world.emit(api, 'appointment-created', id);
  await receive(id, 'appointment:created');
  const later = await company.appointment();
  const { meta } = await receive(later, 'appointment:created');
  expect(meta.emissionId).toMatch(/^capture-/);
  expect(eventsOf(id)).toEqual(['appointment:created']);
});

test('bulk writes and writes of a transaction are emitted', async () => {
  world.worker(CAPTURE);
  await isFollowed();
  const ids = await Promise.all(Array.from({ length: 250 }, () => company.appointment()));
  for (const id of ids) await receive(id, 'appointment:created');
  await appointments().updateMany({}, { $set: { notes: 'all' } });
  for (const id of ids) await receive(id, 'appointment:updated');
});

test('the owner is killed: another worker reads the stream from the saved token, and no write is lost', async () => {
  const first = await world.workerProcess(CAPTURE);
  await isFollowed();
  await receive(await company.appointment(), 'appointment:created');
  first.kill('SIGKILL');
  await first.exited;
  const ids = await Promise.all(Array.from({ length: 20 }, () => company.appointment()));
  world.worker(CAPTURE);
  for (const id of ids) await receive(id, 'appointment:created');
});

test('the owner is frozen: another worker takes over, and after it thaws it cannot move the token back', async () => {
  const frozen = await world.workerProcess(CAPTURE);
  await isFollowed();
  await receive(await company.appointment(), 'appointment:created');
  frozen.kill('SIGSTOP');
  const owner = await lock();
  world.worker(CAPTURE);
  const during = await company.appointment();
  await receive(during, 'appointment:created');
  const token = await world.redis.hget(tokenKey(), 'resumeToken');
  frozen.kill('SIGCONT');
  const after = await company.appointment();
  await receive(after, 'appointment:created');
  expect(await lock()).not.toBe(owner);
  expect(await world.redis.hget(tokenKey(), 'resumeToken')).not.toBe(token);
});

test.each([
  ['is text', /damaged data in redis/g, () => world.redis.set(tokenKey(), 'garbage')],
  ['is no JSON', /damaged data in redis/g, () => world.redis.hset(tokenKey(), 'resumeToken', 'garbage')],
  [
    'is no token',
    /the change stream begins now/g,
    () => world.redis.hset(tokenKey(), 'resumeToken', '{"_data":"00"}'),
  ],
  ['is null', /damaged data in redis/g, () => world.redis.hset(tokenKey(), 'resumeToken', 'null')],
  [
    'is an empty object',
    /the change stream begins now/g,
    () => world.redis.hset(tokenKey(), 'resumeToken', '{}'),
  ],
  ['is lost', /the change stream begins now/g, () => world.redis.del(tokenKey())],
])('a saved token that %s: the stream begins now, once', async (_what, logged, damage) => {
  await damage();
  const worker = await world.workerProcess(CAPTURE);
  await isFollowed(await savedToken());
  await receive(await company.appointment(), 'appointment:created');
  expect(worker.output().match(logged)).toHaveLength(1);
});

test.each([
  ['dropped', () => appointments().drop()],
  ['renamed', () => appointments().rename('appointments_of_yesterday')],
])('the collection is %s: the stream begins anew, and later writes are captured', async (_what, act) => {
  world.worker(CAPTURE);
  await isFollowed();
  await receive(await company.appointment(), 'appointment:created');
  const before = await savedToken();
  await act();
  await eventually('the stream to end', async () => (await savedToken()) === '');
  await isFollowed(before);
  await receive(await company.appointment(), 'appointment:created');
});

test('a customer is renamed: the appointments around today that refer to it are emitted, if the setting is on', async () => {
  world.worker({ ...CAPTURE, CAPTURE_REFERENCES: 'on' });
  await isFollowed();
  const near = await company.appointment();
  const far = await company.appointment({ start: new Date(Date.now() + 30 * 24 * 3_600_000) });
  for (const id of [near, far]) await receive(id, 'appointment:created');
  const { _id } = company.customer;
  await world.documents.models.Customer.collection.updateOne({ _id }, { $set: { fullName: 'Ann Huber' } });
  const { payload } = await receive(near, 'appointment:updated');
  expect(payload.appointment).toMatchObject({ customerId: { fullName: 'Ann Huber' } });
  await world.documents.models.Customer.collection.updateOne({ _id }, { $set: { internalRemark: 'x' } });
  await receive(await company.appointment(), 'appointment:created');
  expect(eventsOf(near)).toEqual(['appointment:created', 'appointment:updated']);
  expect(eventsOf(far)).toEqual(['appointment:created']);
});

test('without change streams /health reports that only the sweep finds writes, and the log reports it once', async () => {
  const proxy = await startRewritingProxy(world.env['MONGODB_URI']!, {
    sent(bytes) {
      // Of the same length, and unknown to every server.
      for (let at = bytes.indexOf('$changeStream'); at >= 0; at = bytes.indexOf('$changeStream'))
        bytes.write('$changeStreaX', at);
    },
  });
  world.keep(proxy, proxy.close);
  world.worker({ ...CAPTURE, MONGODB_URI: proxy.uri });
  await eventually('the warning', async () => {
    const health = (await (await fetch(`${api.url}/health`)).json()) as { warnings?: string[] };
    return health.warnings?.some((warning) => warning.includes('CAPTURE=change-stream has no effect'));
  });
});

test('a document of 12 MB with pre-images does not end the stream', async () => {
  await keepPreImages();
  const worker = await world.workerProcess(CAPTURE);
  await isFollowed();
  const id = await company.appointment();
  await receive(id, 'appointment:created');
  for (const letter of ['x', 'y'])
    await appointments().updateOne(byId(id), { $set: { internalRemark: letter.repeat(12_000_000) } });
  await appointments().updateOne(byId(id), { $set: { notes: 'large' } });
  const { payload } = await receive(id, 'appointment:updated');
  expect(payload.appointment).toMatchObject({ notes: 'large' });
  expect(worker.output()).not.toContain('too-large');
});

test('an appointment that moves to another company is emitted to the new one only, and the log reports it', async () => {
  const other = await world.documents.company();
  const otherDashboard = await world.dashboard(api, other.companyId);
  const worker = await world.workerProcess(CAPTURE);
  await isFollowed();
  const id = await company.appointment();
  await receive(id, 'appointment:created');
  const companyId = new Types.ObjectId(other.companyId);
  await appointments().updateOne(byId(id), { $set: { companyId, notes: 'of the other company' } });
  await otherDashboard.receive(({ payload }) => payload.appointment._id === id);
  await receive(await company.appointment(), 'appointment:created');
  expect(eventsOf(id)).toEqual(['appointment:created']);
  expect(worker.output()).toContain('Appointments changed their company');
});
