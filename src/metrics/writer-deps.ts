import type { Cluster, Redis } from 'ioredis';
import type { MetricsKeys } from './keys.ts';

/** What the metrics ask of a connection: single, Sentinel or Cluster. */
export type MetricsRedis = Pick<Redis | Cluster, 'evalsha' | 'eval' | 'pipeline' | 'mgetBuffer'>;

export interface WriterDeps {
  redis: MetricsRedis;
  keys: MetricsKeys;
  /** A Redis that accepts connections but never answers must not hold up the next attempt. */
  timeoutMs: number;
  now: (() => number) | undefined;
}
