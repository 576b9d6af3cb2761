import { Queue, type Telemetry } from 'bullmq';
import { queueNames } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';

/** Two queues, because BullMQ cannot reserve a worker's concurrency for some jobs of one queue. Neither waits for the other. */
export interface EmissionQueues {
  /** Single (live) emissions, and the canaries. */
  live: Queue;
  /** Batches, repairs of many emissions, and the sweep; by priority. */
  bulk: Queue;
}

export interface OpenQueuesOptions {
  redis: RedisClient;
  prefix: string;
  /** Default: 0. */
  shard?: number;
  onError: (error: Error) => void;
  telemetry?: Telemetry | undefined;
}

/**
 * Opens the queues of a shard on a connection of the `request` role. The version check and the wait for readiness are skipped:
 * with them an `add` hangs while Redis is unavailable, and the queue never works if Redis was unavailable at start.
 */
export function openQueues({
  redis,
  prefix,
  shard = 0,
  onError,
  telemetry,
}: OpenQueuesOptions): EmissionQueues {
  const open = (name: string): Queue => {
    const queue = new Queue(name, {
      connection: redis,
      prefix,
      skipVersionCheck: true,
      skipWaitingForReady: true,
      skipMetasUpdate: true,
      ...(telemetry && { telemetry }),
    });
    queue.on('error', onError);
    return queue;
  };
  const names = queueNames(shard);
  return { live: open(names.live), bulk: open(names.bulk) };
}

export async function closeQueues({ live, bulk }: EmissionQueues): Promise<void> {
  await Promise.all([live.close(), bulk.close()]);
}
