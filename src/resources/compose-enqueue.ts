import { errorMessage } from '../errors.ts';
import { type CompanyShare, createCompanyShare, createReadNextPriority } from '../queue/company-share.ts';
import { createEnqueue, type Enqueue, type EnqueueDeps } from '../queue/producer.ts';
import { createRecentEmissions, type RecentEmissions } from '../queue/recent-emissions.ts';
import type { Resources } from './open-resources.ts';

/**
 * Adds jobs to the queues, which the companies share, and remembers their emission ids by appointment for the timeline.
 * @param addDirect  for live emissions that this process can run itself
 */
export function composeEnqueue(
  resources: Resources,
  addDirect?: EnqueueDeps['addDirect'],
): {
  enqueue: Enqueue;
  recent: RecentEmissions;
  share: CompanyShare;
} {
  const { config, redis, shards, clock, metrics, reportDamage, logger, tracing } = resources;
  const recent = createRecentEmissions({
    redis,
    prefix: config.QUEUE_PREFIX,
    now: clock.now,
    reportDamage,
    onForgotten: (error) => {
      logger.debug(
        { error: errorMessage(error) },
        '[InternalSocket] Emission ids were not remembered by appointment',
      );
    },
  });
  const share = createCompanyShare({
    maxLivePerSecond: config.MAX_LIVE_PER_COMPANY_PER_SECOND,
    bulkQueueOf: (companyId) => shards.of(companyId).bulk,
    readNextPriority: createReadNextPriority(redis),
    onOver: metrics.overShare,
  });
  const enqueue = createEnqueue({
    shardOf: shards.of,
    redis,
    policy: { attempts: config.EMISSION_ATTEMPTS, firstRetryDelayMs: config.EMISSION_BACKOFF_MS },
    priorityFor: share.priorityFor,
    addDirect:
      addDirect &&
      (async (job, options, shard) => {
        if (!share.isNearLimit(job.companyId)) return addDirect(job, options, shard);
        metrics.directJob('share');
        return false;
      }),
    remember: recent.remember,
    tracing,
  });
  return { enqueue, recent, share };
}
