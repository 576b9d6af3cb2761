import type { Logger } from '../process/logger.ts';
import type { CheckReferences, ReferenceCheck } from './check-references.ts';

interface Deps {
  check: CheckReferences;
  /** Resolves when MongoDB can be read for the first time. */
  connected: Promise<unknown>;
  /** Sets the metric of a field. */
  count: (field: string, unresolved: number) => void;
  logger: Logger;
}

const CHECK_EVERY_MS = 60_000;
/** Fewer references than this can all be dangling by chance. */
const MIN_REFERRING = 5;

/**
 * Reports a reference field that never resolves, at the start and every minute: a log line when it begins and one when it
 * ends, and a warning for `/health` while it lasts. While MongoDB cannot be read, the last result stays.
 */
export function watchReferences({ check, connected, count, logger }: Deps) {
  let reported = new Map<string, ReferenceCheck>();

  async function checkAndReport(): Promise<void> {
    const now = new Map<string, ReferenceCheck>();
    for (const result of await check()) {
      const { field, collection, isEmpty, referring, unresolved } = result;
      count(field, unresolved);
      const wasReported = reported.has(field);
      if (isEmpty || (referring >= MIN_REFERRING && unresolved === referring)) {
        now.set(field, result);
        if (!wasReported) logger.warn({ field, collection, isEmpty, referring }, 'reference never resolves');
      } else if (wasReported) logger.info({ field, collection }, 'reference resolves again');
    }
    reported = now;
  }
  let running: Promise<void> | undefined;
  const checkOrKeep = () =>
    (running ??= checkAndReport()
      .catch(() => undefined)
      .finally(() => {
        running = undefined;
      }));
  void connected.then(checkOrKeep);
  const timer = setInterval(() => void checkOrKeep(), CHECK_EVERY_MS);
  timer.unref();

  return {
    warnings: async (): Promise<string[]> => {
      await checkOrKeep();
      return [...reported.values()].map(describe);
    },
    close: () => {
      clearInterval(timer);
    },
  };
}

function describe({ field, collection, isEmpty, referring }: ReferenceCheck): string {
  return isEmpty
    ? `${field} never resolves: the collection ${collection} does not exist or is empty; check its name in the model`
    : `${field} never resolves: none of the newest ${referring} appointments that have one refers to a document ` +
        `of their company in the collection ${collection}; check the collection's name and the type of its ids`;
}
