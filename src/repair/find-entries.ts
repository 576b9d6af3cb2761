import { type Id, OBJECT_ID } from '@appointment-emissions/contracts';
import { chunks } from '../batching.ts';
import type { RedisClient } from '../redis/connect.ts';
import { ifOwnType } from '../redis/redis-errors.ts';
import type { EraseSubject, Kept } from './find-kept.ts';

/** Entries of one hash or sorted set that concern a subject. */
export interface Entries {
  key: string;
  members: string[];
  type: 'hash' | 'sorted set';
}

export interface FindEntriesDeps {
  redis: RedisClient;
  companyKeys: Record<'position' | 'log' | 'published', (companyId: Id) => string>;
  /** Sorted set of the companies with published appointments. */
  publishedCompanies: string;
}

const ENTRIES_PER_READ = 1_000;
const KEYS_AT_ONCE = 50;

/** Finds entries of the hashes appointment → company. Adds the companies and appointments that they name to `kept`. */
export async function findInBuckets(
  { redis }: FindEntriesDeps,
  subject: EraseSubject,
  kept: Kept,
): Promise<Entries[]> {
  /** A bucket is named by the last characters of its appointments' ids. */
  async function ofAppointment(key: string, appointmentId: Id): Promise<string[]> {
    if (!appointmentId.endsWith(key.slice(key.lastIndexOf(':') + 1))) return [];
    const companyId = await ifOwnType(redis.hget(key, appointmentId));
    if (companyId === undefined || companyId === null) return [];
    if (OBJECT_ID.test(companyId)) kept.companyIds.add(companyId);
    return [appointmentId];
  }
  async function ofCompany(key: string, companyId: Id): Promise<string[]> {
    const found: string[] = [];
    for await (const [appointmentId, owner] of scanPairs((cursor) =>
      redis.hscan(key, cursor, 'COUNT', ENTRIES_PER_READ),
    ))
      if (owner === companyId) found.push(appointmentId);
    for (const appointmentId of found) kept.appointmentIds.add(appointmentId);
    return found;
  }
  return readEach(kept.buckets, 'hash', (key) =>
    'companyId' in subject ? ofCompany(key, subject.companyId) : ofAppointment(key, subject.appointmentId),
  );
}

/** Finds the last emission ids of the appointments in `kept`. An entry begins with the id of its appointment. */
export function findRecent({ redis }: FindEntriesDeps, kept: Kept): Promise<Entries[]> {
  return readEach(kept.recent, 'sorted set', async (key) => {
    const found: string[] = [];
    for await (const [member] of scanPairs((cursor) => redis.zscan(key, cursor, 'COUNT', ENTRIES_PER_READ)))
      if (kept.appointmentIds.has(member.slice(0, member.indexOf(' ')))) found.push(member);
    return found;
  });
}

/** Finds the subject in the indexes of published appointments of the companies in `kept`. */
export async function findIndexed(
  { redis, companyKeys, publishedCompanies }: FindEntriesDeps,
  subject: EraseSubject,
  { companyIds }: Kept,
): Promise<Entries[]> {
  const ofCompany = async (companyId: Id): Promise<string[]> => {
    const found: string[] = [];
    for await (const [member] of scanPairs((cursor) =>
      redis.zscan(companyKeys.published(companyId), cursor, 'COUNT', ENTRIES_PER_READ),
    ))
      found.push(member);
    return found;
  };
  const has = async (key: string, member: string): Promise<string[]> =>
    (await ifOwnType(redis.zscore(key, member))) == null ? [] : [member];
  const indexes = await readEach([...companyIds].map(companyKeys.published), 'sorted set', (key) =>
    'companyId' in subject ? ofCompany(subject.companyId) : has(key, subject.appointmentId),
  );
  if (!('companyId' in subject)) return indexes;
  return [
    ...indexes,
    ...(await readEach([publishedCompanies], 'sorted set', (key) => has(key, subject.companyId))),
  ];
}

/**
 * Finds the companies whose log names the appointment. Without a known company it reads all logs: entries of a company with few
 * emissions outlive order token and index.
 */
export async function findInLogs(
  { redis, companyKeys }: FindEntriesDeps,
  appointmentId: Id,
  { companyIds, logs }: Kept,
): Promise<Id[]> {
  const found: Id[] = [];
  for (const companyId of companyIds.size > 0 ? companyIds : logs)
    if (await isInLog(redis, companyKeys.log(companyId), appointmentId)) found.push(companyId);
  return found;
}

async function isInLog(redis: RedisClient, key: string, appointmentId: Id): Promise<boolean> {
  for (let start = '-'; ;) {
    const entries = (await ifOwnType(redis.xrange(key, start, '+', 'COUNT', ENTRIES_PER_READ))) ?? [];
    if (entries.some(([, fields]) => fields.includes(appointmentId))) return true;
    const last = entries.at(-1);
    if (!last || entries.length < ENTRIES_PER_READ) return false;
    start = `(${last[0]}`;
  }
}

/** Removes entries in slices, so that no command takes long. */
export async function removeEntries(redis: RedisClient, found: readonly Entries[]): Promise<void> {
  for (const { key, members, type } of found)
    for (const slice of chunks(members, ENTRIES_PER_READ))
      await (type === 'hash' ? redis.hdel(key, ...slice) : redis.zrem(key, ...slice));
}

async function readEach(
  keys: readonly string[],
  type: Entries['type'],
  read: (key: string) => Promise<string[]>,
): Promise<Entries[]> {
  const found: Entries[] = [];
  for (const slice of chunks(keys, KEYS_AT_ONCE)) {
    const members = await Promise.all(slice.map(read));
    found.push(...slice.map((key, index) => ({ key, members: members[index] ?? [], type })));
  }
  return found.filter(({ members }) => members.length > 0);
}

/** Reads a hash or a sorted set in slices; nothing if another program wrote a key of another type. */
async function* scanPairs(
  read: (cursor: string) => Promise<[cursor: string, flat: string[]]>,
): AsyncGenerator<[string, string]> {
  let cursor = '0';
  do {
    const [next, flat] = (await ifOwnType(read(cursor))) ?? ['0', []];
    for (let i = 0; i < flat.length; i += 2) yield [flat[i] ?? '', flat[i + 1] ?? ''];
    cursor = next;
  } while (cursor !== '0');
}
