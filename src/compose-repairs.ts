import type { Queue } from 'bullmq';
import type { RedisClient } from './connections.ts';
import { createFindWritten } from './population/find-written.ts';
import type { Models } from './population/models.ts';
import type { Enqueue } from './queue/producer.ts';
import { PRIORITY } from './queue/retry-policy.ts';
import { createFailedEmissions, type FailedEmissions } from './repair/failed-emissions.ts';
import { createReEmit } from './repair/re-emit.ts';
import { createRepairs, type Repairs } from './repair/repairs.ts';
import { createRetry } from './repair/retry.ts';

export interface ComposeRepairsDeps {
  redis: RedisClient;
  queue: Queue;
  models: Models;
  enqueue: Enqueue;
}

/** The repairs over their stages, for the API and the command line alike. */
export function composeRepairs({ redis, queue, models, enqueue }: ComposeRepairsDeps): {
  failed: FailedEmissions;
  repairs: Repairs;
} {
  const failed = createFailedEmissions(redis, queue);
  const repairs = createRepairs({
    retry: createRetry({ redis, queue, failed, priority: PRIORITY.repair }),
    reEmit: createReEmit({
      findWritten: createFindWritten(models),
      enqueue: (emissions) => enqueue(emissions, PRIORITY.repair),
      now: Date.now,
    }),
    now: Date.now,
  });
  return { failed, repairs };
}
