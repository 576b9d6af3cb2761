import type { Lifecycle } from '../src/process/lifecycle.ts';
import type { Logger } from '../src/process/logger.ts';
import { type QueueStates, restrictionsOf } from '../src/metrics/queue-state.ts';

export interface LogQueueRestrictionsDeps {
  read: () => Promise<QueueStates>;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onClose'>;
}

const LOOK_EVERY_MS = 2_000;

/**
 * Logs once when a queue is paused or limited in Redis, by Bull Board or a script, and once when that ends: the worker
 * itself would only seem to have nothing to do.
 */
export function logQueueRestrictions({ read, logger, lifecycle }: LogQueueRestrictionsDeps): void {
  const known = new Map<string, { queue: string; kind: string }>();

  function compare(states: QueueStates): void {
    const found = new Map(restrictionsOf(states).map((one) => [`${one.queue} ${one.kind}`, one]));
    for (const [key, { queue, kind, words }] of found) {
      if (!known.has(key)) logger.warn({ queue, why: words }, `queue ${eventOf(kind)[0]}`);
      known.set(key, { queue, kind });
    }
    for (const [key, { queue, kind }] of known) {
      if (found.has(key)) continue;
      known.delete(key);
      logger.info({ queue }, `queue ${eventOf(kind)[1]}`);
    }
  }

  const look = (): void => {
    // While Redis does not answer nothing is known: its outage has a line of its own.
    read().then(compare, () => undefined);
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  lifecycle.onClose('queue restrictions', () => {
    clearInterval(timer);
  });
}

function eventOf(kind: string): [begins: string, ends: string] {
  return kind === 'paused' ? ['paused', 'resumed'] : [`${kind} set`, `${kind} removed`];
}
