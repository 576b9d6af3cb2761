import { createCheckReferences } from '../population/check-references.ts';
import { watchReferences } from '../population/watch-references.ts';
import type { Resources } from './open-resources.ts';

/**
 * Logs and counts each reference field of the model that never resolves, until the process ends.
 * @returns reads the warnings; it rejects if MongoDB is unavailable
 */
export function watchModelReferences({
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
