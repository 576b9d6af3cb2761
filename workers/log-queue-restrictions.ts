import type { Lifecycle } from '../src/process/lifecycle.ts';
import type { Logger } from '../src/process/logger.ts';
import { type QueueStates, restrictionsOf } from '../src/metrics/queue-state.ts';

export interface LogQueueRestrictionsDeps {
  read: () => Promise<QueueStates>;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onClose'>;
}

const CHECK_EVERY_MS = 2_000;

/**
 * Logs once when a queue is paused or rate-limited, for example in Bull Board, and once when that ends. Without these lines the
 * worker would only appear to be idle.
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

  const check = (): void => {
    // The outage of Redis has log lines already.
    read().then(compare, () => undefined);
  };
  check();
  const timer = setInterval(check, CHECK_EVERY_MS);
  lifecycle.onClose('queue restrictions', () => {
    clearInterval(timer);
  });
}

function eventOf(kind: string): [begins: string, ends: string] {
  return kind === 'paused' ? ['paused', 'resumed'] : [`${kind} set`, `${kind} removed`];
}
