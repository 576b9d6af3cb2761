import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './connect.ts';

/**
 * What is sent to a single Redis until the event loop has turned goes in one write. As a pipeline does, but commands stay
 * single: one of ioredis' carries all commands of its client, costs more than they do by themselves, and what it leaves outlives
 * collections of young garbage. On a Cluster each command is written by itself.
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
