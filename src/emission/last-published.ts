import type { Id } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import { orderKey } from './keys.ts';

/** What was last published of an appointment; kept for 48 hours. */
export interface LastPublished {
  /** ms since the epoch. */
  updatedAt: number;
  status: string;
}

/** `undefined` where nothing was published that is still known. @throws when Redis is away. */
export type ReadLastPublished = (companyId: Id, appointmentId: Id) => Promise<LastPublished | undefined>;

export function createReadLastPublished(redis: RedisClient): ReadLastPublished {
  return async (companyId, appointmentId) => {
    const [updatedAt, status] = await redis.hmget(orderKey(companyId, appointmentId), 'updatedAt', 'status');
    return updatedAt ? { updatedAt: Number(updatedAt), status: status ?? '' } : undefined;
  };
}
