import { Queue } from 'bullmq';
import { QUEUE_NAME } from '../contracts/names.ts';
import type { RedisClient } from '../connections.ts';

export interface OpenQueueOptions {
  redis: RedisClient;
  prefix: string;
  onError: (error: Error) => void;
}

/**
 * Opens the queue on a connection of the `request` role. The version check and the wait for readiness are skipped:
 * with them an `add` hangs while Redis is away, and the queue breaks for good if it was away at start.
 */
export function openQueue({ redis, prefix, onError }: OpenQueueOptions): Queue {
  const queue = new Queue(QUEUE_NAME, {
    connection: redis,
    prefix,
    skipVersionCheck: true,
    skipWaitingForReady: true,
    skipMetasUpdate: true,
  });
  queue.on('error', onError);
  return queue;
}
