import type { WorkerConfig } from '../config.ts';
import { connectServers } from './connect-servers.ts';

/**
 * Pauses or resumes queues, in all shards, for all workers of the fleet. Running jobs end.
 * @returns a sentence for each queue
 * @throws AppError QUEUE_UNAVAILABLE
 */
export async function setQueuesPaused(
  config: WorkerConfig,
  names: readonly ('live' | 'bulk')[],
  isPaused: boolean,
): Promise<string[]> {
  const servers = connectServers(config);
  try {
    const shards = await servers.openShards();
    for (const name of names) {
      for (const { [name]: queue } of shards.all()) await (isPaused ? queue.pause() : queue.resume());
    }
    return names.map((name) =>
      isPaused ? `The ${name} queue is paused: its jobs wait.` : `The ${name} queue is resumed.`,
    );
  } finally {
    await servers.close();
  }
}
