import type { CutReason } from '../domain/cut-reasons.ts';
import type { Logger } from '../process/logger.ts';

const LOG_EVERY_MS = 10_000;

/**
 * Counts each connection that is cut, and logs the first one of a reason at once, then at most one line in 10 s with the
 * number of cuts since the line before.
 */
export function recordCuts(
  count: (reason: CutReason) => void,
  logger: Logger,
): (reason: CutReason, address: string) => void {
  const unlogged = new Map<CutReason, { cuts: number; loggedAt: number }>();
  return (reason, address) => {
    count(reason);
    const { cuts, loggedAt } = unlogged.get(reason) ?? { cuts: 0, loggedAt: -Infinity };
    const now = performance.now();
    if (now - loggedAt < LOG_EVERY_MS) {
      unlogged.set(reason, { cuts: cuts + 1, loggedAt });
      return;
    }
    unlogged.set(reason, { cuts: 0, loggedAt: now });
    logger.warn({ reason, address, cuts: cuts + 1 }, 'connection cut');
  };
}
