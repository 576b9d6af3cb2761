import type { Id } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { isWrongType } from '../redis/wrong-type.ts';
import type { CompanyKeys } from './keys.ts';

const MILLISECONDS = /^-?\d{1,15}$/;

/** What was last published of an appointment; kept for 48 hours. */
export interface LastPublished {
  /** ms since the epoch. */
  updatedAt: number;
  status: string;
}

/** `undefined` where nothing was published that is still known. @throws when Redis is away. */
export type ReadLastPublished = (companyId: Id, appointmentId: Id) => Promise<LastPublished | undefined>;

/** Whatever cannot be understood counts as not known: then the newest state is published once more. */
export function createReadLastPublished({
  redis,
  keys,
  reportDamage,
}: {
  redis: RedisClient;
  keys: CompanyKeys;
  reportDamage: ReportDamage;
}): ReadLastPublished {
  return async (companyId, appointmentId) => {
    const key = keys.order(companyId, appointmentId);
    try {
      const [updatedAt, status] = await redis.hmget(key, 'updatedAt', 'status');
      if (!updatedAt) return undefined;
      if (MILLISECONDS.test(updatedAt)) return { updatedAt: Number(updatedAt), status: status ?? '' };
    } catch (error) {
      if (!isWrongType(error)) throw error;
    }
    reportDamage('order', { key });
    return undefined;
  };
}
