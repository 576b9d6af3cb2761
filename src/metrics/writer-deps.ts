import type { MetricsKeys } from './keys.ts';
import type { MetricsRedis } from './redis-script.ts';

export interface WriterDeps {
  redis: MetricsRedis;
  keys: MetricsKeys;
  /** A Redis that accepts connections but never answers must not hold up the next attempt. */
  timeoutMs: number;
  now: (() => number) | undefined;
}
