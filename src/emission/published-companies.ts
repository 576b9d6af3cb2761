import { type Id, OBJECT_ID } from '@appointment-emissions/contracts';
import type { PublishedAppointment } from '../domain/published-appointments.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { corkUntilImmediate, type RedisClient } from '../redis/connect.ts';
import { isWrongType } from '../redis/redis-errors.ts';
import type { CompanyKeys } from './keys.ts';
import { periodAt, PERIODS_KEPT, type PublishedKeys } from './published-keys.ts';

export interface PublishedCompaniesDeps {
  redis: RedisClient;
  keys: PublishedKeys;
  companyKeys: CompanyKeys;
  /** Milliseconds since 1970, by the clock that all processes share. */
  now: () => number;
  reportDamage: ReportDamage;
}

/** The companies that appointments were published for in the last 30 days; one that is not known is absent. */
export type FindPublishedCompanies = (appointmentIds: readonly Id[]) => Promise<Map<Id, Id>>;

export const createFindPublishedCompanies =
  (deps: PublishedCompaniesDeps): FindPublishedCompanies =>
  (appointmentIds) =>
    findCompanies(deps, appointmentIds);

async function findCompanies(
  { redis, keys, now, reportDamage }: PublishedCompaniesDeps,
  appointmentIds: readonly Id[],
): Promise<Map<Id, Id>> {
  async function read(key: string, appointmentId: Id): Promise<Id | undefined> {
    try {
      const companyId = await redis.hget(key, appointmentId);
      if (companyId === null) return undefined;
      if (OBJECT_ID.test(companyId)) return companyId;
    } catch (error) {
      if (!isWrongType(error)) throw error;
    }
    reportDamage('published', { key });
    return undefined;
  }

  const found = new Map<Id, Id>();
  const current = periodAt(now());
  for (let period = current; period >= current - PERIODS_KEPT; period -= 1) {
    const unknown = appointmentIds.filter((id) => !found.has(id));
    if (unknown.length === 0) break;
    corkUntilImmediate(redis);
    await Promise.all(
      unknown.map(async (appointmentId) => {
        const companyId = await read(keys.shard(period, appointmentId), appointmentId);
        if (companyId !== undefined) found.set(appointmentId, companyId);
      }),
    );
  }
  return found;
}

/**
 * Resolves to the appointments without those that were published for another company: another program wrote these into a
 * company's index. They are removed from it and reported. @throws the errors of Redis
 */
export type DropForeign = (appointments: readonly PublishedAppointment[]) => Promise<PublishedAppointment[]>;

export function createDropForeign(deps: PublishedCompaniesDeps): DropForeign {
  const { redis, companyKeys, reportDamage } = deps;
  return async (appointments) => {
    const companies = await findCompanies(
      deps,
      appointments.map(({ appointmentId }) => appointmentId),
    );
    const own: PublishedAppointment[] = [];
    for (const appointment of appointments) {
      const { appointmentId, companyId } = appointment;
      if ((companies.get(appointmentId) ?? companyId) === companyId) own.push(appointment);
      else {
        const key = companyKeys.published(companyId);
        await redis.zrem(key, appointmentId);
        reportDamage('published', { key });
      }
    }
    return own;
  };
}
