import type { ApiConfig } from '../config.ts';
import type { RedisClient } from '../redis/connect.ts';
import { warnOfFleet } from '../liveness/fleet-warnings.ts';
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
 * What is wrong though the service is ready, in words for the operator: for `/health`, `/admin` and the alarm. Settles
 * within a second; what can't be read is left to readiness, which says that a server does not answer.
 */
export function composeWarnings(deps: ComposeWarningsDeps): () => Promise<string[]> {
  const { id, config, redis, models, metrics, unresolvedReferences, ownWarnings } = deps;
  const ofIndexes = shareFor(INDEX_CHECK_EVERY_MS, () => warnOfIndexes(models));
  const ofReferences = shareFor(REFERENCE_CHECK_EVERY_MS, unresolvedReferences);
  const ofFleet = async (): Promise<string[]> => {
    const state = await metrics.state();
    return warnOfFleet(state, { maxWaiting: config.QUEUE_MAX_WAITING, apart: id });
  };
  const bounded = (what: string, read: () => Promise<string[]>): Promise<string[]> =>
    within(ASK_WITHIN_MS, what, read()).catch(() => []);

  return shareFor(SHARE_MS, async () => {
    const found = await Promise.all([
      bounded('the fleet', ofFleet),
      bounded('Redis', () => warnOfRedis(redis)),
      bounded('the indexes', ofIndexes),
      bounded('the references', ofReferences),
    ]);
    return [...ownWarnings(), ...found.flat()];
  });
}
