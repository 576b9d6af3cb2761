import { Queue } from 'bullmq';
import { BULK_QUEUE_NAME, QUEUE_NAME } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';

/** Two queues, since BullMQ can't keep places of a worker for some of its jobs: so neither ever waits for the other's. */
export interface EmissionQueues {
  /** What somebody waits for, and the canaries. */
  live: Queue;
  /** Batches, repairs of many, what the sweep finds; by priority. */
  bulk: Queue;
}

export interface OpenQueuesOptions {
  redis: RedisClient;
  prefix: string;
  onError: (error: Error) => void;
}

/**
 * Opens the queues on a connection of the `request` role. The version check and the wait for readiness are skipped:
 * with them an `add` hangs while Redis is away, and the queue breaks for good if it was away at start.
 */
export function openQueues({ redis, prefix, onError }: OpenQueuesOptions): EmissionQueues {
  const open = (name: string): Queue => {
    const queue = new Queue(name, {
      connection: redis,
      prefix,
      skipVersionCheck: true,
      skipWaitingForReady: true,
      skipMetasUpdate: true,
    });
    queue.on('error', onError);
    return queue;
  };
  return { live: open(QUEUE_NAME), bulk: open(BULK_QUEUE_NAME) };
}

export async function closeQueues({ live, bulk }: EmissionQueues): Promise<void> {
  await Promise.all([live.close(), bulk.close()]);
}
