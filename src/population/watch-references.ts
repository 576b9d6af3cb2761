import type { ReferenceField } from '../domain/references.ts';
import type { Logger } from '../process/logger.ts';
import type { CheckReferences, ReferenceCheck } from './check-references.ts';

interface Deps {
  check: CheckReferences;
  /** Sets the metric of a field. */
  count: (field: ReferenceField, unresolved: number) => void;
  logger: Logger;
}

const CHECK_EVERY_MS = 60_000;
/** Fewer references than this may all be dangling by chance. */
const MIN_REFERRING = 5;

/**
 * Reports a reference field that never resolves: a log line when it begins and one when it ends, and a warning for
 * `/health` while it lasts. While MongoDB cannot be read, the last result stands.
 */
export function watchReferences({ check, count, logger }: Deps) {
  let unresolvable = new Map<ReferenceField, ReferenceCheck>();

  async function look(): Promise<void> {
    const checked = await check();
    const now = new Map<ReferenceField, ReferenceCheck>();
    for (const one of checked) {
      const { field, collection, referring, unresolved } = one;
      count(field, unresolved);
      const wasReported = unresolvable.has(field);
      if (referring >= MIN_REFERRING && unresolved === referring) {
        now.set(field, one);
        if (!wasReported) logger.warn({ field, collection, referring }, 'reference never resolves');
      } else if (wasReported) logger.info({ field, collection }, 'reference resolves again');
    }
    unresolvable = now;
  }
  const lookOrKeep = () => look().catch(() => undefined);
  const timer = setInterval(() => void lookOrKeep(), CHECK_EVERY_MS);
  timer.unref();

  return {
    warnings: async (): Promise<string[]> => {
      await lookOrKeep();
      return [...unresolvable.values()].map(
        ({ field, collection, referring }) =>
          `${field} never resolves: none of the newest ${referring} appointments that have one refers to a document ` +
          `of their company in the collection ${collection}; check the collection's name and the type of its ids`,
      );
    },
    close: () => {
      clearInterval(timer);
    },
  };
}
