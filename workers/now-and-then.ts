import { messageOf } from '../src/errors.ts';
import type { Logger } from '../src/process/logger.ts';

/** What lasts must not fill the disk: while it does every job comes round each second or two. */
const SAY_EVERY_MS = 10_000;

/** Says what jobs meet: at once, then every 10 s with how many have met it; each one at level `debug`. */
export function createSayNowAndThen(
  flow: Logger,
  words: string,
  now: () => number = () => performance.now(),
) {
  let saidAt = -Infinity;
  let jobs = 0;
  return (ids: object, error: unknown): void => {
    jobs += 1;
    if (now() - saidAt < SAY_EVERY_MS) {
      flow.debug({ ...ids, error: messageOf(error) }, words);
      return;
    }
    flow.warn({ ...ids, error: messageOf(error), jobs }, words);
    saidAt = now();
    jobs = 0;
  };
}
