import type { Id } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { isWrongType } from '../redis/wrong-type.ts';
import type { CompanyKeys } from './keys.ts';

const MILLISECONDS = /^-?\d{1,15}$/;

/** Fields of the snapshot of an appointment that was published last; kept for 48 hours. */
export interface LastPublished {
  /** Milliseconds since 1970. */
  updatedAt: number;
  status: string;
}

/** Undefined if nothing was published, or it is no longer kept. @throws the errors of Redis */
export type ReadLastPublished = (companyId: Id, appointmentId: Id) => Promise<LastPublished | undefined>;

/** A key that cannot be parsed counts as not published: then the sweep emits the appointment once more. */
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
