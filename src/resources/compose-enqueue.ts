import { errorMessage } from '../errors.ts';
import { createEnqueue, type Enqueue } from '../queue/producer.ts';
import { createRecentEmissions, type RecentEmissions } from '../queue/recent-emissions.ts';
import type { Resources } from './open-resources.ts';

/** Adds jobs to the queues, and remembers their emission ids by appointment for the timeline. */
export function composeEnqueue({ config, redis, queues, clock, reportDamage, logger }: Resources): {
  enqueue: Enqueue;
  recent: RecentEmissions;
} {
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
  const enqueue = createEnqueue({
    queues,
    redis,
    policy: { attempts: config.EMISSION_ATTEMPTS, firstRetryDelayMs: config.EMISSION_BACKOFF_MS },
    remember: recent.remember,
  });
  return { enqueue, recent };
}
