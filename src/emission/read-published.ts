import { type Id, OBJECT_ID } from '@appointment-emissions/contracts';
import type {
  PublishedAppointment,
  PublishedCursor,
  ReadPublishedPage,
} from '../domain/published-appointments.ts';
import { isUnavailable } from '../process/unavailable.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import type { RedisClient } from '../redis/connect.ts';
import { ifOwnType } from '../redis/redis-errors.ts';
import type { CompanyKeys } from './keys.ts';
import type { PublishedKeys } from './published-keys.ts';

export interface ReadPublishedDeps {
  redis: RedisClient;
  keys: PublishedKeys;
  companyKeys: CompanyKeys;
  reportDamage: ReportDamage;
}

/** Each costs a round trip, so a page ends after this many companies. */
const MAX_COMPANIES = 100;

/** Later than every publication. */
const NEWEST = Number.MAX_SAFE_INTEGER;

/**
 * Reads the index of published appointments, company by company. Within a company the newest come first: an appointment that
 * is published again during the walk moves to a part that was read, but then it was just read from MongoDB. Entries that
 * cannot be parsed are removed and reported. A company whose master is away is left out: another walk reads it.
 */
export function createReadPublishedPage(deps: ReadPublishedDeps): ReadPublishedPage {
  const { redis, keys } = deps;
  return async (from, { since, limit }) => {
    const later = await readCompanies(deps, from.companyId);
    const visits = later.companyIds.map((companyId) => ({ companyId, publishedAt: NEWEST }));
    const { companyId, publishedAt } = from;
    if (publishedAt !== null) visits.unshift({ companyId, publishedAt });
    const appointments: PublishedAppointment[] = [];
    for (const visit of visits) {
      const range = { since, limit: limit - appointments.length };
      const found = await ifAvailable(readCompany(deps, visit, range));
      // Its master is away. The walk goes on with the next company.
      if (!found) return { appointments, next: { companyId: visit.companyId, publishedAt: null } };
      appointments.push(...found.appointments);
      if (found.next !== undefined)
        return { appointments, next: { companyId: visit.companyId, publishedAt: found.next } };
      // A publication at this moment adds the company again, after its index.
      if (found.isEmpty && visit.publishedAt === NEWEST) await redis.zrem(keys.companies, visit.companyId);
    }
    return { appointments, next: later.next };
  };
}

/** Undefined if the server is unavailable. */
function ifAvailable<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch((error: unknown) => {
    if (isUnavailable(error)) return undefined;
    throw error;
  });
}

/** The next companies that may have published appointments, and where the ones after them begin. */
async function readCompanies(
  { redis, keys: { companies: key }, reportDamage }: ReadPublishedDeps,
  after: Id,
): Promise<{ companyIds: Id[]; next: PublishedCursor | undefined }> {
  const members = await ifOwnType(
    redis.zrangebylex(key, after === '' ? '-' : `(${after}`, '+', 'LIMIT', 0, MAX_COMPANIES),
  );
  const companyIds = members?.filter((member) => OBJECT_ID.test(member)) ?? [];
  const damaged = members?.filter((member) => !OBJECT_ID.test(member)) ?? [];
  if (damaged.length > 0) await redis.zrem(key, ...damaged);
  if (!members || damaged.length > 0) reportDamage('published', { key });
  const isLast = !members || members.length < MAX_COMPANIES;
  return {
    companyIds,
    next: isLast ? undefined : { companyId: companyIds.at(-1) ?? after, publishedAt: null },
  };
}

/**
 * A company's appointments that were published at `publishedAt` or earlier, the newest first. `next`: where the company's next
 * page begins. Appointments of that millisecond are read twice, since the page may have ended between them.
 */
async function readCompany(
  { redis, companyKeys, reportDamage }: ReadPublishedDeps,
  { companyId, publishedAt }: { companyId: Id; publishedAt: number },
  { since, limit }: { since: number; limit: number },
): Promise<{ appointments: PublishedAppointment[]; next: number | undefined; isEmpty: boolean }> {
  const key = companyKeys.published(companyId);
  const max = publishedAt === NEWEST ? '+inf' : publishedAt;
  const members = await ifOwnType(redis.zrevrangebyscore(key, max, since, 'WITHSCORES', 'LIMIT', 0, limit));
  const [appointments, damaged]: [PublishedAppointment[], string[]] = [[], []];
  for (let i = 0; members && i < members.length; i += 2) {
    const [appointmentId = '', score] = members.slice(i, i + 2);
    const isValid = OBJECT_ID.test(appointmentId) && Number.isSafeInteger(Number(score));
    if (isValid) appointments.push({ appointmentId, companyId, publishedAt: Number(score) });
    else damaged.push(appointmentId);
  }
  if (damaged.length > 0) await redis.zrem(key, ...damaged);
  if (!members || damaged.length > 0) reportDamage('published', { key });
  const isLast = !members || members.length < 2 * limit;
  return {
    appointments,
    next: isLast ? undefined : nextBefore(publishedAt, appointments.at(-1)),
    isEmpty: members?.length === 0,
  };
}

/** The page's last time, or a millisecond less if the page has one time only: the walk must go on. */
function nextBefore(publishedAt: number, last: PublishedAppointment | undefined): number {
  if (!last) return publishedAt;
  return last.publishedAt < publishedAt ? last.publishedAt : publishedAt - 1;
}
