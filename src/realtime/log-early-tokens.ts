import type { Logger } from '../process/logger.ts';

const LOG_EVERY_MS = 10_000;

/**
 * Logs tokens that are refused because their `nbf` is in the future, at most one line every 10 s. The clock of their
 * issuer is wrong.
 */
export function createLogEarlyTokens(logger: Logger) {
  let loggedAt = -Infinity;
  let tokens = 0;
  return (aheadMs: number): void => {
    tokens += 1;
    if (performance.now() - loggedAt < LOG_EVERY_MS) return;
    logger.warn({ tokens, aheadMs: Math.round(aheadMs) }, 'tokens are not valid yet');
    loggedAt = performance.now();
    tokens = 0;
  };
}
