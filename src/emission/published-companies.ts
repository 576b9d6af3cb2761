import { type Id, OBJECT_ID } from '@appointment-emissions/contracts';
import type { PublishedAppointment } from '../domain/published-appointments.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { corkUntilImmediate, type RedisClient } from '../redis/connect.ts';
import { ifOwnType } from '../redis/redis-errors.ts';
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

export function createFindPublishedCompanies({
  redis,
  keys,
  now,
  reportDamage,
}: Omit<PublishedCompaniesDeps, 'companyKeys'>): FindPublishedCompanies {
  return async (appointmentIds) => {
    const found = new Map<Id, Id>();
    const current = periodAt(now());
    for (let period = current; period >= current - PERIODS_KEPT; period -= 1) {
      const unknown = appointmentIds.filter((id) => !found.has(id));
      if (unknown.length === 0) break;
      corkUntilImmediate(redis);
      await Promise.all(
        unknown.map(async (appointmentId) => {
          const key = keys.bucket(period, appointmentId);
          const companyId = await ifOwnType(redis.hget(key, appointmentId));
          if (companyId === null) return;
          if (companyId !== undefined && OBJECT_ID.test(companyId)) found.set(appointmentId, companyId);
          else reportDamage('published', { key });
        }),
      );
    }
    return found;
  };
}

/**
 * Resolves to the appointments without those that were published for another company: another program wrote these into a
 * company's index. They are removed from it and reported. @throws the errors of Redis
 */
export type DropForeign = (appointments: readonly PublishedAppointment[]) => Promise<PublishedAppointment[]>;

export function createDropForeign(deps: PublishedCompaniesDeps): DropForeign {
  const { redis, companyKeys, reportDamage } = deps;
  const findCompanies = createFindPublishedCompanies(deps);
  return async (appointments) => {
    const ids = appointments.map(({ appointmentId }) => appointmentId);
    const companies = await findCompanies(ids);
    const isOwn = ({ appointmentId, companyId }: PublishedAppointment): boolean =>
      (companies.get(appointmentId) ?? companyId) === companyId;
    for (const foreign of appointments.filter((one) => !isOwn(one))) {
      const key = companyKeys.published(foreign.companyId);
      await redis.zrem(key, foreign.appointmentId);
      reportDamage('published', { key });
    }
    return appointments.filter(isOwn);
  };
}
