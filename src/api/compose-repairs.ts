import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import type { BulkPacer } from '../process/bulk-pacer.ts';
import { createFindWritten } from '../population/find-written.ts';
import type { Models } from '../population/models.ts';
import { createFindJob } from '../queue/find-job.ts';
import type { Shards } from '../queue/shards.ts';
import type { Enqueue } from '../queue/producer.ts';
import { PRIORITY } from '../queue/retry-policy.ts';
import { createFailedEmissions, type FailedEmissions } from '../repair/failed-emissions.ts';
import { createReEmit } from '../repair/re-emit.ts';
import { createRepairs, type Repairs } from '../repair/repairs.ts';
import { createRetry } from '../repair/retry.ts';

export interface ComposeRepairsDeps {
  redis: RedisClient;
  shards: Shards;
  models: Models;
  enqueue: Enqueue;
  /** Makes each slice of a repair yield to live emissions. */
  pacer: Pick<BulkPacer, 'bulk'>;
  /** Milliseconds since 1970. */
  now: () => number;
  reportDamage: ReportDamage;
}

/** The repairs, for the API and for the command line. */
export function composeRepairs(deps: ComposeRepairsDeps): {
  failed: FailedEmissions;
  repairs: Repairs;
} {
  const { redis, shards, models, enqueue, pacer, now, reportDamage } = deps;
  const failed = createFailedEmissions(
    redis,
    () => shards.all().flatMap(({ live, bulk }) => [live, bulk]),
    reportDamage,
  );
  const repairs = createRepairs({
    retry: createRetry({
      shards: shards.all,
      findJob: createFindJob(shards.all, reportDamage),
      failed,
      priority: PRIORITY.repair,
      pacer,
      now,
    }),
    reEmit: createReEmit({
      findWritten: createFindWritten(models),
      isCanceled: models.isCanceled,
      enqueue: async (emissions) => {
        await pacer.bulk(() => enqueue(emissions, PRIORITY.repair));
      },
      now,
    }),
    now,
  });
  return { failed, repairs };
}
