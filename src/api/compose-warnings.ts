import type { ApiConfig } from '../config.ts';
import type { RedisClient } from '../redis/connect.ts';
import { warnOfFigures, warnOfFleet } from './fleet-warnings.ts';
import { warnOfRedis } from '../redis/redis-warnings.ts';
import { within } from '../process/lifecycle.ts';
import type { FleetMetrics } from '../metrics/fleet-metrics.ts';
import { shareFor } from '../metrics/share-for.ts';
import { warnOfIndexes } from '../population/indexes.ts';
import type { Models } from '../population/models.ts';

export interface ComposeWarningsDeps {
  /** Of this process. */
  id: string;
  config: ApiConfig;
  redis: RedisClient;
  models: Models;
  metrics: FleetMetrics;
  /** Which references resolve for no appointment. @throws when MongoDB can't be read */
  unresolvedReferences: () => Promise<string[]>;
  /** What is wrong with this process itself; answers at once. */
  ownWarnings: () => string[];
}

const INDEX_CHECK_EVERY_MS = 30_000;
const REFERENCE_CHECK_EVERY_MS = 5_000;
const SHARE_MS = 1_000;
const ASK_WITHIN_MS = 1_000;

/**
 * What is wrong though the service is ready, in words for the operator. Both settle within a second; what can't be read is
 * left to readiness, which says that a server does not answer.
 */
export interface Warnings {
  /** For `/health` and the alarm. */
  all: () => Promise<string[]>;
  /** For the operator's page, which judges the figures by itself. */
  beyondFigures: () => Promise<string[]>;
}

export function composeWarnings(deps: ComposeWarningsDeps): Warnings {
  const { id, config, redis, models, metrics, unresolvedReferences, ownWarnings } = deps;
  const ofIndexes = shareFor(INDEX_CHECK_EVERY_MS, () => warnOfIndexes(models));
  const ofReferences = shareFor(REFERENCE_CHECK_EVERY_MS, unresolvedReferences);
  const bounded = (what: string, read: () => Promise<string[]>): Promise<string[]> =>
    within(ASK_WITHIN_MS, what, read()).catch(() => []);

  const beyondFigures = shareFor(SHARE_MS, async () => {
    const found = await Promise.all([
      bounded('the fleet', async () =>
        warnOfFleet(await metrics.state(), { maxWaiting: config.QUEUE_MAX_WAITING, apart: id }),
      ),
      bounded('Redis', () => warnOfRedis(redis)),
      bounded('the indexes', ofIndexes),
      bounded('the references', ofReferences),
    ]);
    return [...ownWarnings(), ...found.flat()];
  });
  const figures = shareFor(SHARE_MS, () =>
    bounded('the figures', async () => warnOfFigures(await metrics.state())),
  );
  return {
    beyondFigures,
    all: async () => (await Promise.all([beyondFigures(), figures()])).flat(),
  };
}
