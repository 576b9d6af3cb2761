import type { Lifecycle } from '../src/process/lifecycle.ts';
import type { Logger } from '../src/process/logger.ts';
import { type Restriction, restrictionsOf, type ShardStates } from '../src/metrics/queue-state.ts';

export interface LogQueueRestrictionsDeps {
  read: () => Promise<ShardStates[]>;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onClose'>;
}

const CHECK_EVERY_MS = 2_000;

/**
 * Logs once when a queue is paused or rate-limited, for example in Bull Board, and once when that ends. Without these lines the
 * worker would only appear to be idle.
 */
export function logQueueRestrictions({ read, logger, lifecycle }: LogQueueRestrictionsDeps): void {
  const known = new Map<string, Restriction>();

  function compare(shards: ShardStates[]): void {
    const found = new Map(
      restrictionsOf(shards).map((one) => [`${one.queue} ${one.shard} ${one.kind}`, one]),
    );
    for (const [key, restriction] of found) {
      const { queue, shard, kind, words } = restriction;
      if (!known.has(key)) logger.warn({ queue, shard, why: words }, `queue ${eventOf(kind)[0]}`);
      known.set(key, restriction);
    }
    for (const [key, { queue, shard, kind }] of known) {
      const isRead = shards.some((read) => read.shard === shard);
      if (found.has(key) || !isRead) continue;
      known.delete(key);
      logger.info({ queue, shard }, `queue ${eventOf(kind)[1]}`);
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
