import type { Id } from '@appointment-emissions/contracts';
import type { LastPublished, RefuseEarlierReads } from '../domain/updated-rows.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { isWrongType } from '../redis/redis-errors.ts';
import type { CompanyKeys } from './keys.ts';
import { randomId } from './random.ts';
import { scriptWithPosition } from './script-with-position.ts';

/** The `updatedAt` of an order key if a deletion was published last. */
export const DELETION = 'deleted';

const MILLISECONDS = /^-?\d{1,15}$/;

/** Undefined if nothing was published, or it is no longer kept (48 hours). @throws the errors of Redis */
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
      const [updatedAt, status, digest] = await redis.hmget(key, 'updatedAt', 'status', 'digest');
      if (!updatedAt) return undefined;
      if (updatedAt === DELETION) return 'deletion';
      if (MILLISECONDS.test(updatedAt))
        return { updatedAt: Number(updatedAt), status: status ?? '', digest: digest ?? '' };
    } catch (error) {
      if (!isWrongType(error)) throw error;
    }
    reportDamage('order', { key });
    return undefined;
  };
}

const refuseScript = scriptWithPosition('refuse-earlier-reads');

export function createRefuseEarlierReads(redis: RedisClient, keys: CompanyKeys): RefuseEarlierReads {
  return async (companyId, appointmentId, published) => {
    const compared = published === 'deletion' ? ['updatedAt', DELETION] : ['digest', published.digest];
    const key = keys.order(companyId, appointmentId);
    return (await refuseScript(redis, [key], [...compared, randomId()])) === 1;
  };
}
