import { causeOf, distinctCauseOf, errorMessage } from '../errors.ts';
import type { Logger } from './logger.ts';

const REMINDER_INTERVAL_MS = 30_000;
/**
 * Usually there are few causes. Above this number causes are only as distinct as `causeOf` makes them, so that errors that all differ
 * fill neither the log nor the memory.
 */
const MAX_CAUSES = 100;

interface Options {
  level?: 'warn' | 'error';
  now?: () => number;
}

export type ThrottledLog = (fields: object, error: unknown) => void;

/**
 * Throttles an event that repeats during a fault: logs the first of each cause at once, then one reminder every 30 s with
 * the number of `times` since the last line. All others are logged at level `debug`.
 */
export function createThrottledLog(logger: Logger, event: string, options: Options = {}): ThrottledLog {
  const { level = 'warn', now = () => performance.now() } = options;
  const byCause = new Map<string, { loggedAt: number; times: number }>();

  function keyOf(error: unknown): string {
    const distinct = distinctCauseOf(error);
    if (byCause.has(distinct) || byCause.size < MAX_CAUSES) return distinct;
    for (const [cause, { loggedAt }] of byCause) {
      if (now() - loggedAt >= REMINDER_INTERVAL_MS) byCause.delete(cause);
    }
    return byCause.size < MAX_CAUSES ? distinct : causeOf(error);
  }

  return (fields, error) => {
    const cause = keyOf(error);
    const line = { ...fields, error: errorMessage(error) };
    const known = byCause.get(cause);
    const times = (known?.times ?? 0) + 1;
    if (known && now() - known.loggedAt < REMINDER_INTERVAL_MS) {
      known.times = times;
      logger.debug(line, event);
      return;
    }
    byCause.set(cause, { loggedAt: now(), times: 0 });
    logger[level]({ ...line, times }, event);
  };
}
