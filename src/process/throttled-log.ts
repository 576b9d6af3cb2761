import { causeOf, errorMessage } from '../errors.ts';
import type { Logger } from './logger.ts';

const REMINDER_INTERVAL_MS = 30_000;
/** Usually there are few causes. A server whose errors all differ must not fill the memory. */
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
  return (fields, error) => {
    const cause = causeOf(error);
    const line = { ...fields, error: errorMessage(error) };
    const known = byCause.get(cause);
    const times = (known?.times ?? 0) + 1;
    if (known && now() - known.loggedAt < REMINDER_INTERVAL_MS) {
      known.times = times;
      logger.debug(line, event);
      return;
    }
    if (!known && byCause.size >= MAX_CAUSES) byCause.clear();
    byCause.set(cause, { loggedAt: now(), times: 0 });
    logger[level]({ ...line, times }, event);
  };
}
