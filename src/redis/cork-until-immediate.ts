import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './connect.ts';

/**
 * Sends all commands of this event loop turn to a single Redis in one write. ioredis' pipeline does the same, but costs more
 * than single commands, and its garbage survives young collections. On a Cluster each command is written separately.
 */
export function corkUntilImmediate(redis: RedisClient): void {
  if (redis instanceof Cluster) return;
  const { stream } = redis as { stream?: Redis['stream'] };
  if (!stream) return;
  stream.cork();
  setImmediate(() => {
    stream.uncork();
  });
}
