import { messageOf } from '../src/errors.ts';
import type { Logger } from '../src/logger.ts';

/** A long outage must not fill the disk: while it lasts every job comes round each second or two. */
const SAY_EVERY_MS = 10_000;

/** Says that a server is away: at once, then every 10 s with how many jobs have met it; each one at level `debug`. */
export function createReportAway(flow: Logger, now: () => number = Date.now) {
  let saidAt = -Infinity;
  let jobs = 0;
  return (ids: object, error: unknown): void => {
    const words = 'a server is away; no attempt is spent';
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
