import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { PublishedAppointment, PublishedCursor } from '../../src/domain/published-appointments.ts';
import { PUBLISHED_MS } from '../../src/emission/keys.ts';
import { createDropForeign } from '../../src/emission/published-companies.ts';
import { createReadPublishedPage } from '../../src/emission/read-published.ts';
import { createPublishedKeys, type PublishedKeys } from '../../src/emission/published-keys.ts';
import { createRememberPublished } from '../../src/emission/remember-published.ts';
import { createEmissionWorld } from './emission-world.ts';

const DAY_MS = 24 * 3_600_000;
const hexId = () => randomBytes(12).toString('hex');

let world: ReturnType<typeof createEmissionWorld>;
beforeAll(() => {
  world = createEmissionWorld();
});
afterAll(() => {
  world.close();
});

/** Keys of one test, since the set of companies is one for a fleet. */
let keys: PublishedKeys;
let damaged: (string | undefined)[];
beforeEach(() => {
  keys = createPublishedKeys(`{published-${hexId()}}`);
  damaged = [];
});
const reportDamage = (kind: string, details: Record<string, string | undefined> = {}) => {
  expect(kind).toBe('published');
  damaged.push(details['key']);
};
const index = (companyId = world.companyId) => world.keys.published(companyId);
const membersOf = (key: string) => world.redis.zrangebyscore(key, '-inf', '+inf');
const remember = (now = Date.now) =>
  createRememberPublished({
    redis: world.redis,
    keys,
    now,
    reportDamage,
    onForgotten: (error) => {
      throw error;
    },
  });
const dropForeign = (appointments: PublishedAppointment[], now = Date.now) =>
  createDropForeign({ redis: world.redis, keys, companyKeys: world.keys, now, reportDamage })(appointments);

/** A company with an index: appointments by the time of their publication. */
async function publishedCompany(
  appointments: readonly (readonly [id: string, at: number])[],
): Promise<string> {
  const companyId = hexId();
  await world.redis.zadd(keys.companies, 0, companyId);
  for (let from = 0; from < appointments.length; from += 500)
    await world.redis.zadd(
      index(companyId),
      ...appointments.slice(from, from + 500).flatMap(([id, at]) => [at, id]),
    );
  return companyId;
}

const readPage = (from: PublishedCursor, limit: number) =>
  createReadPublishedPage({ redis: world.redis, keys, companyKeys: world.keys, reportDamage })(from, {
    since: Date.now() - PUBLISHED_MS,
    limit,
  });

/** Reads all pages, and runs `between` after each. */
async function walk(
  limit = 500,
  between: (page: PublishedAppointment[]) => Promise<unknown> = async () => {},
) {
  const pages: PublishedAppointment[][] = [];
  let cursor: PublishedCursor | undefined = { companyId: '', publishedAt: null };
  while (cursor) {
    const page = await readPage(cursor, limit);
    expect(page.appointments.length).toBeLessThanOrEqual(limit);
    pages.push(page.appointments);
    cursor = page.next;
    await between(page.appointments);
    if (pages.length > 1_000) throw new Error('the walk does not end');
  }
  return pages;
}
const idsOf = (pages: PublishedAppointment[][]) =>
  new Set(pages.flat().map(({ companyId, appointmentId }) => `${companyId} ${appointmentId}`));

test('a publication is in the index of its company with its time, a deletion is removed, both in the script that publishes', async () => {
  const [kept, deleted] = [world.appointment(), world.appointment()];
  await world.emit(kept);
  await world.emit(deleted);
  const scores = await world.redis.zmscore(index(), kept, deleted);
  for (const score of scores) expect(Math.abs(Number(score) - Date.now())).toBeLessThan(60_000);
  expect(await world.redis.pttl(index())).toBeGreaterThan(PUBLISHED_MS - 60_000);

  world.appointments.delete(deleted);
  await world.emit(deleted, { event: 'appointment:deleted' });
  expect(await world.redis.zmscore(index(), kept, deleted)).toEqual([scores[0], null]);
});

test('a company’s next publication removes what was published more than 30 days ago', async () => {
  const [old, recent, published] = [hexId(), hexId(), world.appointment()];
  await world.redis.zadd(index(), Date.now() - PUBLISHED_MS - DAY_MS, old, Date.now() - 29 * DAY_MS, recent);
  await world.emit(published);
  const [oldScore, ...others] = await world.redis.zmscore(index(), old, recent, published);
  expect(oldScore).toBeNull();
  expect(others).toEqual([expect.any(String), expect.any(String)]);
});

test('an index of another type is replaced by the next publication, which is sent', async () => {
  await world.redis.del(index());
  await world.redis.set(index(), 'garbage');
  const appointmentId = world.appointment();
  const { offset } = await world.emit(appointmentId);
  expect(offset).toBeGreaterThan(0);
  expect(await membersOf(index())).toEqual([appointmentId]);
});

test('a walk reads every appointment of every company, whatever the size of its pages and the times of publication', async () => {
  const now = Date.now();
  const ties = Array.from({ length: 90 }, () => [hexId(), now - DAY_MS] as const);
  const many = Array.from({ length: 700 }, (_, i) => [hexId(), now - i * 3_000] as const);
  const companies = [many, ties, [[hexId(), now] as const], [...ties.slice(0, 3), ...many.slice(0, 7)]];
  const expected = new Set<string>();
  for (const appointments of companies) {
    const companyId = await publishedCompany(appointments);
    for (const [appointmentId] of appointments) expected.add(`${companyId} ${appointmentId}`);
  }
  for (const limit of [100, 500, 2_000]) expect(idsOf(await walk(limit))).toEqual(expected);
  // More companies than one page visits.
  for (let more = 0; more < 205; more += 1) {
    const appointmentId = hexId();
    expected.add(`${await publishedCompany([[appointmentId, now]])} ${appointmentId}`);
  }
  const pages = await walk(10_000);
  expect(idsOf(pages)).toEqual(expected);
  expect(pages.length).toBe(3);
});

test('appointments that are published or deleted during a walk hide no other', async () => {
  const now = Date.now();
  const all = Array.from({ length: 300 }, (_, i) => [hexId(), now - DAY_MS - i] as const);
  const companyId = await publishedCompany(all);
  const touched = new Set<string>();
  const pages = await walk(50, async (page) => {
    // Of the page that was read, one is deleted and one is published; of those that come, the last is published.
    const [first, second] = page;
    const last = (await membersOf(index(companyId)))[0]!;
    for (const one of [first?.appointmentId, second?.appointmentId, last]) touched.add(one ?? '');
    if (first) await world.redis.zrem(index(companyId), first.appointmentId);
    await world.redis.zadd(index(companyId), Date.now(), second?.appointmentId ?? last, Date.now(), last);
  });
  const read = new Set(pages.flat().map(({ appointmentId }) => appointmentId));
  expect(all.filter(([id]) => !read.has(id) && !touched.has(id))).toEqual([]);
});

test('a walk ends although 700 appointments have the same time', async () => {
  await publishedCompany(Array.from({ length: 700 }, () => [hexId(), Date.now() - DAY_MS] as const));
  expect(idsOf(await walk(500)).size).toBeGreaterThanOrEqual(500);
});

test('a company whose index has expired is removed from the companies; its next publication adds it', async () => {
  const gone = await publishedCompany([]);
  const kept = await publishedCompany([[hexId(), Date.now()]]);
  await walk();
  expect(await membersOf(keys.companies)).toEqual([kept]);
  const { remember: note, settled } = remember();
  note(gone, [hexId()]);
  await settled();
  expect(await membersOf(keys.companies)).toEqual([gone, kept].sort());
});

test('damaged entries are removed and reported, and hide no other entry', async () => {
  const appointmentId = hexId();
  const companyId = await publishedCompany([
    ['garbage', Date.now()],
    ['x'.repeat(24), Date.now()],
    ['', Date.now() - 1],
    [hexId(), 1.5 + Date.now()],
    [appointmentId, Date.now() - 2],
  ]);
  await world.redis.zadd(index(companyId), 'inf', hexId(), '-inf', hexId());
  await world.redis.zadd(keys.companies, 0, 'garbage', 0, '');
  expect(idsOf(await walk(2))).toEqual(new Set([`${companyId} ${appointmentId}`]));
  expect(new Set(damaged)).toEqual(new Set([index(companyId), keys.companies]));
  damaged = [];
  expect(idsOf(await walk(2))).toEqual(new Set([`${companyId} ${appointmentId}`]));
  expect(damaged).toEqual([]);
});

const OTHER_TYPES: [what: string, write: (key: string) => Promise<unknown>][] = [
  ['text', (key) => world.redis.set(key, 'garbage')],
  ['a list', (key) => world.redis.rpush(key, 'garbage')],
  ['a set', (key) => world.redis.sadd(key, 'garbage')],
  ['a stream', (key) => world.redis.xadd(key, '*', 'garbage', 'x')],
];

test.each([...OTHER_TYPES, ['a hash', (key: string) => world.redis.hset(key, 'garbage', 'x')] as const])(
  'a company’s index that is %s counts as empty and is reported; other companies are read',
  async (_, write) => {
    const appointmentId = hexId();
    const [broken, whole] = [
      await publishedCompany([]),
      await publishedCompany([[appointmentId, Date.now()]]),
    ];
    await write(index(broken));
    expect(idsOf(await walk())).toEqual(new Set([`${whole} ${appointmentId}`]));
    expect(damaged).toEqual([index(broken)]);
  },
);

test.each(OTHER_TYPES)(
  'companies and buckets that are %s are reported, and replaced by the next publication',
  async (_, write) => {
    const [companyId, appointmentId] = [hexId(), hexId()];
    const bucket = keys.bucket(Math.floor(Date.now() / (10 * DAY_MS)), appointmentId);
    await write(keys.companies);
    await write(bucket);
    expect(await walk()).toEqual([[]]);
    const { remember: note, settled } = remember();
    note(companyId, [appointmentId]);
    await settled();
    expect(damaged).toEqual([keys.companies, ...new Set([bucket, keys.companies])]);
    expect(await world.redis.hgetall(bucket)).toEqual({ [appointmentId]: companyId });
    expect(await membersOf(keys.companies)).toEqual([companyId]);
  },
);

test('an appointment in the index of another company than it was published for is removed and reported', async () => {
  const [own, foreign, unknown] = [hexId(), hexId(), hexId()];
  const companyId = await publishedCompany([own, foreign, unknown].map((id) => [id, Date.now()] as const));
  const { remember: note, settled } = remember();
  note(companyId, [own]);
  note(hexId(), [foreign]);
  await settled();
  const entry = (appointmentId: string) => ({ appointmentId, companyId, publishedAt: 1 });
  expect(await dropForeign([entry(own), entry(foreign), entry(unknown)])).toEqual([
    entry(own),
    entry(unknown),
  ]);
  expect(await membersOf(index(companyId))).toEqual([own, unknown].sort());
  expect(damaged).toEqual([index(companyId)]);
});

test('a company that is no id, or of another type, counts as not known', async () => {
  const [first, second] = [hexId(), hexId()];
  const period = Math.floor(Date.now() / (10 * DAY_MS));
  await world.redis.hset(keys.bucket(period, first), first, 'garbage');
  await world.redis.set(keys.bucket(period, second), 'garbage');
  const entries = [first, second].map((appointmentId) => ({
    appointmentId,
    companyId: hexId(),
    publishedAt: 1,
  }));
  expect(await dropForeign(entries)).toEqual(entries);
  expect(damaged).toEqual([keys.bucket(period, first), keys.bucket(period, second)]);
});

test('the company of an appointment is known for 30 days, and its key expires at most 10 days later', async () => {
  const [appointmentId, companyId] = [hexId(), hexId()];
  for (const sincePeriodBegan of [0, 5 * DAY_MS, 10 * DAY_MS - 1]) {
    const at = Math.floor(Date.now() / (10 * DAY_MS)) * 10 * DAY_MS + sincePeriodBegan;
    const { remember: note, settled } = remember(() => at);
    note(companyId, [appointmentId]);
    await settled();
    const expires = at + (await world.redis.pttl(keys.bucket(Math.floor(at / (10 * DAY_MS)), appointmentId)));
    expect(expires).toBeGreaterThan(at + PUBLISHED_MS - 60_000);
    expect(expires).toBeLessThanOrEqual(at + PUBLISHED_MS + 10 * DAY_MS);
    const foreign = [{ appointmentId, companyId: hexId(), publishedAt: 1 }];
    expect(await dropForeign(foreign, () => at + PUBLISHED_MS - 1)).toEqual([]);
  }
  expect(await world.redis.pttl(keys.companies)).toBeGreaterThan(PUBLISHED_MS - 60_000);
});

test('many publications at once share few commands, and are all stored', async () => {
  const companies = new Map(Array.from({ length: 450 }, () => [hexId(), hexId()]));
  const { remember: note, settled } = remember();
  for (const [appointmentId, companyId] of companies) note(companyId, [appointmentId]);
  await settled();
  expect(new Set(await membersOf(keys.companies))).toEqual(new Set(companies.values()));
});

test('publications in the background that fail are reported, and hold up nothing', async () => {
  const errors: unknown[] = [];
  const { remember: note, settled } = createRememberPublished({
    redis: { evalsha: () => Promise.reject(new Error('down')) } as never,
    keys,
    now: Date.now,
    reportDamage,
    onForgotten: (error) => errors.push(error),
  });
  note(hexId(), [hexId()]);
  await settled();
  expect(errors).toHaveLength(1);
});
