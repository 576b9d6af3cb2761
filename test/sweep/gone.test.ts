import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Id } from '@appointment-emissions/contracts';
import { createDropForeign } from '../../src/emission/published-companies.ts';
import { createReadPublishedPage } from '../../src/emission/read-published.ts';
import { createPublishedKeys } from '../../src/emission/published-keys.ts';
import { createFindMissing, createHasAppointments } from '../../src/population/find-updated.ts';
import { createFindGone, type HeldDeletions } from '../../src/sweep/find-gone.ts';
import { createAcquireSweepLease } from '../../src/sweep/sweep-state.ts';
import type { MissedEmission } from '../../src/domain/updated-rows.ts';
import { freePort } from '../../scripts/process/free-port.ts';
import { PAIRS, startApplication } from '../embedded/application.ts';
import type { Company } from '../harness/documents.ts';
import { freeze, ownMongo } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const DELETED = 'appointment:deleted';
const SWEEP_OFTEN = { RECONCILE_INTERVAL_MS: '100' };
const HOUR_MS = 3_600_000;

let world: World;
let api: RunningApi;
let company: Company;
beforeEach(() => open());
afterEach(() => world.close());

async function open(mongoUri?: string): Promise<void> {
  world = await createWorld({
    env: { RECONCILE_INTERVAL_MS: '0' },
    ...(mongoUri !== undefined && { mongoUri }),
  });
  [api, company] = await Promise.all([world.ready(world.api()), world.documents.company()]);
}

const collection = () => world.documents.models.Appointment.collection;
/** Removes documents without a call, as a script does. */
const remove = (...ids: Id[]) =>
  collection().deleteMany({ _id: { $in: ids.map((appointmentId) => new Types.ObjectId(appointmentId)) } });
const indexed = ({ companyId } = company) =>
  world.redis.zrangebyscore(world.keys.published(companyId), '-inf', '+inf');

/** Publishes new appointments. Resolves when both indexes have them. */
async function publish(count: number, of = company): Promise<Id[]> {
  const ids = await Promise.all(Array.from({ length: count }, () => of.appointment()));
  const emissions = ids.map((appointmentId) => ({ event: 'appointment:created', appointmentId }));
  expect((await world.post(api, 'batch', { emissions })).status).toBe(202);
  await eventually('the index to have them', async () => {
    const members = new Set(await indexed(of));
    return ids.every((id) => members.has(id));
  });
  await eventually(
    'the company to be known',
    async () =>
      (await world.redis.zscore(`${world.env['QUEUE_PREFIX']}:published:companies`, of.companyId)) !== null,
  );
  return ids;
}

const deletionJobs = async () => {
  const jobs = await world.jobs.in('completed', 'failed', 'active', 'waiting', 'prioritized', 'delayed');
  return jobs.flatMap(({ id }) => (id?.includes('-gone-') ? [id] : []));
};

/** The search without its timer: `step` at some time, and what it enqueued. */
function createSearch({ ownerId = 'one' } = {}) {
  const { redis, keys: companyKeys } = world;
  const prefix = world.env['QUEUE_PREFIX']!;
  const reportDamage = () => undefined;
  const keys = createPublishedKeys(prefix);
  const acquire = createAcquireSweepLease({ redis, prefix, ownerId, lockMs: 60_000, reportDamage });
  const enqueued: MissedEmission[] = [];
  const warnings: HeldDeletions[] = [];
  const search = createFindGone({
    readPublishedPage: createReadPublishedPage({ redis, keys, companyKeys, reportDamage }),
    findMissing: createFindMissing(world.models),
    hasAppointments: createHasAppointments(world.models),
    dropForeign: createDropForeign({ redis, keys, companyKeys, now: Date.now, reportDamage }),
    enqueue(emissions) {
      enqueued.push(...emissions);
      return Promise.resolve();
    },
    onHeld: (held) => warnings.push(held),
  });
  return {
    enqueued,
    warnings,
    held: search.held,
    async step(laterMs = 0): Promise<number> {
      const lease = (await acquire())!;
      return search.step({ ...lease, now: lease.now + laterMs });
    },
  };
}

test('an appointment that a script removes without a call reaches the dashboards of its company alone as a deletion, once', async () => {
  const other = await world.documents.company();
  const [dashboard, stranger] = [
    await world.dashboard(api, company.companyId),
    await world.dashboard(api, other.companyId),
  ];
  const port = String(await freePort());
  world.worker({ ...SWEEP_OFTEN, METRICS_PORT: port });
  const [[gone], [kept], [others]] = [await publish(1), await publish(1), await publish(1, other)];
  await remove(gone!);
  const { payload, meta } = await dashboard.receive(({ event }) => event === DELETED);
  expect(payload).toEqual({ appointment: { _id: gone, companyId: company.companyId } });
  expect(meta).toMatchObject({ event: DELETED, offset: 3, replayed: false });
  expect(await indexed()).toEqual([kept]);

  // A later one proves that sweeps have gone on meanwhile.
  await remove(others!);
  await stranger.receive(({ event }) => event === DELETED);
  const deletions = [dashboard, stranger].map(({ received }) =>
    received.flatMap(({ event, payload }) => (event === DELETED ? [payload.appointment._id] : [])),
  );
  expect(deletions).toEqual([[gone], [others]]);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toMatch(/^emission_sweep_gone_total 2$/m);
});

test('the worker of an embedded pipeline finds a removed appointment too', async () => {
  world.env['RECONCILE_INTERVAL_MS'] = '100';
  const application = await startApplication(world, PAIRS[0]);
  const client = await application.client({ token: await world.token(company.companyId) });
  const appointmentId = await company.appointment();
  await application.emissions.created(appointmentId);
  await eventually('the booking', () => client.names().includes('appointment:created'));
  await remove(appointmentId);
  await eventually('the deletion', () => client.names().includes(DELETED));
  expect(client.received.at(-1)?.args[0]).toEqual({
    appointment: { _id: appointmentId, companyId: company.companyId },
  });
});

test('an appointment that is published and removed again is found again', async () => {
  const dashboard = await world.dashboard(api, company.companyId);
  world.worker(SWEEP_OFTEN);
  const [appointmentId] = await publish(1);
  const document = (await collection().findOne({ _id: new Types.ObjectId(appointmentId) }))!;
  const deletions = () => dashboard.received.filter(({ event }) => event === DELETED).length;
  await remove(appointmentId!);
  await eventually('the first deletion', () => deletions() === 1);
  await collection().insertOne(document);
  const emissionId = await world.emit(api, 'appointment-updated', appointmentId!);
  await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  await remove(appointmentId!);
  await eventually('the second deletion', () => deletions() === 2);
});

test('while the job waits, further sweeps and other workers add no second one; if the appointment exists again when it runs, it is an update', async () => {
  const dashboard = await world.dashboard(api, company.companyId);
  const first = world.worker(SWEEP_OFTEN);
  const [appointmentId] = await publish(1);
  const document = (await collection().findOne({ _id: new Types.ObjectId(appointmentId) }))!;
  await world.jobs.pause();
  await remove(appointmentId!);
  const sweeps = () => world.redis.pttl(`${world.env['QUEUE_PREFIX']}:sweep:lock`);
  await eventually('the sweep to find it', async () => (await deletionJobs()).length > 0);
  await first.close();
  world.worker(SWEEP_OFTEN);
  const before = Date.now();
  await eventually(
    'sweeps of the other worker',
    async () => (await sweeps()) > 0 && Date.now() - before > 500,
  );
  expect(await deletionJobs()).toHaveLength(1);

  await collection().insertOne(document);
  await world.jobs.resume();
  await dashboard.receive(({ meta }) => meta.emissionId.includes('-gone-'));
  expect(dashboard.received.at(-1)).toMatchObject({
    event: 'appointment:updated',
    payload: { appointment: { _id: appointmentId } },
  });
});

test('RECONCILE_INTERVAL_MS=0 turns the search off', async () => {
  world.worker();
  const [appointmentId] = await publish(1);
  await remove(appointmentId!);
  const later = await world.emit(api, 'appointment-updated', await company.appointment());
  await world.jobIn(later, 'completed');
  expect(await deletionJobs()).toEqual([]);
  expect(await world.redis.exists(`${world.env['QUEUE_PREFIX']}:sweep:gone`)).toBe(0);
});

test('if MongoDB does not answer, no deletion is emitted, and the same page is checked when it does', async () => {
  await world.close();
  const mongo = await ownMongo();
  try {
    await open(mongo.url);
    world.worker();
    const [gone] = await publish(3);
    await remove(gone!);
    await freeze(mongo);
    const search = createSearch();
    await expect(search.step()).rejects.toThrow();
    expect(search.enqueued).toEqual([]);
    await mongo.kill('SIGCONT');
    await eventually('MongoDB to answer', () =>
      search.step().then(
        (found) => found === 1,
        () => false,
      ),
    );
    expect(search.enqueued.map(({ appointmentId }) => appointmentId)).toEqual([gone]);
  } finally {
    await mongo.kill('SIGCONT');
    await world.close();
    await mongo.stop();
    await open();
  }
});

test('if more than half of a page is gone, its deletions are held back for an hour, with a warning', async () => {
  world.worker();
  const ids = await publish(40);
  await remove(...ids.slice(0, 21));
  const search = createSearch();
  for (const minutes of [0, 1, 30]) expect(await search.step(minutes * 60_000)).toBe(0);
  expect(search.warnings).toHaveLength(3);
  expect(search.held()).toEqual({ gone: 21, checked: 40 });
  // Another worker goes on with the same hour.
  await world.redis.del(`${world.env['QUEUE_PREFIX']}:sweep:lock`);
  const other = createSearch({ ownerId: 'two' });
  expect(await other.step(HOUR_MS - 60_000)).toBe(0);
  expect(await other.step(HOUR_MS)).toBe(21);
  expect(other.held()).toBeUndefined();
  expect(other.enqueued.map(({ appointmentId }) => appointmentId).sort()).toEqual(ids.slice(0, 21).sort());
  expect(new Set(other.enqueued.map(({ event, companyId }) => `${event} ${companyId}`))).toEqual(
    new Set([`${DELETED} ${company.companyId}`]),
  );
});

test('deletions that were held back are dropped if the documents come back', async () => {
  world.worker();
  const ids = await publish(30);
  const documents = await collection().find({}).toArray();
  await remove(...ids.slice(0, 25));
  const search = createSearch();
  expect(await search.step()).toBe(0);
  expect(search.held()).toBeDefined();
  const back = new Set(ids.slice(1, 25));
  await collection().insertMany(documents.filter(({ _id }) => back.has(String(_id))));
  expect(await search.step()).toBe(1);
  expect(search.held()).toBeUndefined();
  expect(search.enqueued.map(({ appointmentId }) => appointmentId)).toEqual([ids[0]]);
  // The next doubt starts a new hour.
  await remove(...ids);
  expect(await search.step(30 * 60_000)).toBe(0);
  expect(await search.step(80 * 60_000)).toBe(0);
});

test.each(['dropped', 'renamed'])(
  'a collection that was %s deletes nothing, even after a week',
  async (what) => {
    world.worker();
    await publish(40);
    await (what === 'dropped' ? collection().drop() : collection().rename('appointments-old'));
    const search = createSearch();
    for (const hours of [0, 1, 2, 24 * 7]) expect(await search.step(hours * HOUR_MS)).toBe(0);
    expect(search.enqueued).toEqual([]);
    expect(search.held()).toEqual({ gone: 40, checked: 40 });
  },
);

test('up to 20 deletions of a page are emitted at once, even if nothing else was published', async () => {
  world.worker();
  const ids = await publish(20);
  await remove(...ids);
  const search = createSearch();
  expect(await search.step()).toBe(20);
  // Until their jobs have run, they are found again, but not counted again.
  expect(await search.step()).toBe(0);
  expect(search.enqueued).toHaveLength(20);
});

/** Writes of another program to the position of the search. */
const DAMAGED_POSITIONS: Record<string, string>[] = [
  { garbage: 'x' },
  { companyId: 'x', publishedAt: '', heldSince: '' },
  { companyId: '', publishedAt: '5', heldSince: '' },
  { companyId: 'f'.repeat(24), publishedAt: '1e3', heldSince: '' },
  { companyId: 'f'.repeat(24), publishedAt: '9'.repeat(40), heldSince: '' },
  { companyId: '', publishedAt: '', heldSince: 'x' },
  { companyId: '', publishedAt: '', heldSince: '99999999999999' },
];

test('a damaged position of the search is replaced, and the search begins again', async () => {
  world.worker();
  const key = `${world.env['QUEUE_PREFIX']}:sweep:gone`;
  const search = createSearch();
  for (const fields of [undefined, ...DAMAGED_POSITIONS]) {
    const [gone] = await publish(1);
    await remove(gone!);
    await world.redis.del(key);
    await (fields ? world.redis.hset(key, fields) : world.redis.set(key, 'garbage'));
    expect([fields, await search.step()]).toEqual([fields, 1]);
    expect(await world.redis.hgetall(key)).toMatchObject({ companyId: '', heldSince: '' });
  }
});

test('damaged entries of the index delete nothing, and hide no other deletion', async () => {
  const dashboard = await world.dashboard(api, company.companyId);
  const [gone, kept] = await (world.worker(), publish(2));
  const foreign = await world.documents.company();
  const [foreignId] = await publish(1, foreign);
  const key = world.keys.published(company.companyId);
  await world.redis.zadd(key, Date.now(), 'garbage', 'inf', 'x'.repeat(24), Date.now(), foreignId!);
  await world.redis.set(world.keys.published('f'.repeat(24)), 'garbage');
  await world.redis.zadd(`${world.env['QUEUE_PREFIX']}:published:companies`, 0, 'garbage', 0, 'f'.repeat(24));
  await remove(gone!, foreignId!);
  world.worker(SWEEP_OFTEN);
  await dashboard.receive(({ event }) => event === DELETED);
  await eventually('the index to have valid entries only', async () => (await indexed()).join() === kept);
  expect((await deletionJobs()).filter((id) => id.includes(foreignId!)).length).toBeLessThanOrEqual(1);
  expect(dashboard.received.filter(({ event }) => event === DELETED)).toHaveLength(1);
});
