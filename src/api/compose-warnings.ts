import type { CoreConfig } from '../config.ts';
import { shareFor } from '../batching.ts';
import { createCheckReferences } from '../population/check-references.ts';
import { RUN_DB_INDEXES, warnOfIndexes } from '../population/indexes.ts';
import { watchReferences } from '../population/watch-references.ts';
import { within } from '../process/lifecycle.ts';
import { warnOfRedis } from '../redis/redis-warnings.ts';
import type { Resources } from '../resources/open-resources.ts';
import { warnOfFigures, warnOfFleet } from './fleet-warnings.ts';

const INDEX_CHECK_EVERY_MS = 30_000;
const REFERENCE_CHECK_EVERY_MS = 5_000;
const SHARE_MS = 1_000;
const TIMEOUT_MS = 1_000;

/**
 * Problems of a service that is ready, as text for the operator. Both functions resolve within a second. A check whose server
 * does not answer gives no warning: readiness reports the server.
 */
export interface Warnings {
  /** For `/health` and the alarm. */
  all: () => Promise<string[]>;
  /** For the operator's page, which derives the other warnings from its own figures. */
  beyondFigures: () => Promise<string[]>;
}

/** @param adviseIndex  says how to create a missing index */
export function composeWarnings(
  resources: Resources<CoreConfig>,
  adviseIndex: (collection: string, key: object) => string = RUN_DB_INDEXES,
): Warnings {
  const { id, config, redis, models, metrics, warnings } = resources;
  const ofIndexes = shareFor(INDEX_CHECK_EVERY_MS, () => warnOfIndexes(models, adviseIndex));
  const ofReferences = shareFor(REFERENCE_CHECK_EVERY_MS, watchModelReferences(resources));
  const bounded = (what: string, read: () => Promise<string[]>): Promise<string[]> =>
    within(TIMEOUT_MS, what, read()).catch(() => []);

  const beyondFigures = shareFor(SHARE_MS, async () => {
    const found = await Promise.all([
      bounded('the fleet', async () =>
        warnOfFleet(await metrics.state(), { maxWaiting: config.MAX_WAITING_EMISSIONS, ownId: id }),
      ),
      bounded('Redis', () => warnOfRedis(redis)),
      bounded('the indexes', ofIndexes),
      bounded('the references', ofReferences),
    ]);
    return [...warnings.read(), ...found.flat()];
  });
  const figures = () => bounded('the figures', async () => warnOfFigures(await metrics.state()));
  const all = async () => (await Promise.all([beyondFigures(), figures()])).flat();
  metrics.watchWarnings(all);
  return { all, beyondFigures };
}

/**
 * Logs and counts each reference field of the model that never resolves, until the process ends.
 * @returns reads the warnings; it rejects if MongoDB is unavailable
 */
function watchModelReferences({
  mongo,
  models,
  metrics,
  lifecycle,
  logger,
}: Resources): () => Promise<string[]> {
  const references = watchReferences({
    check: createCheckReferences(models),
    connected: mongo.connected,
    count: metrics.countUnresolved,
    logger,
  });
  lifecycle.onClose('reference check', references.close);
  return references.warnings;
}
