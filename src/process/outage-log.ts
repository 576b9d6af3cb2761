import { causeOf, errorMessage } from '../errors.ts';
import type { Logger } from './logger.ts';

/** Between reminders during an outage. */
const REMINDER_INTERVAL_MS = 30_000;
/** A connection that comes and goes several times a second is one outage. */
const SETTLED_AFTER_MS = 5_000;

interface OutageLogDeps {
  logger: Logger;
  /** Event name of the line when the outage begins, and of its reminders. */
  lost: string;
  /** Event name of the line when the outage ends. */
  restored: string;
  now?: () => number;
}

export interface OutageLog {
  /** @param part  which of the process' connections to the server, for example `requests` */
  failed: (part: string, error: unknown) => void;
  works: (part: string) => void;
  readonly isDown: boolean;
}

/**
 * Logs an outage of a server once for all connections and attempts: one line for each cause when it begins, one reminder
 * every 30 s with the number of failed attempts, and one line when every connection works again.
 */
export function createOutageLog({
  logger,
  lost,
  restored,
  now = () => performance.now(),
}: OutageLogDeps): OutageLog {
  const down = new Set<string>();
  const loggedAt = new Map<string, number>();
  let downSince = 0;
  let attempts = 0;
  let isLogged = false;
  let restoredAt = -Infinity;

  function isDue(cause: string): boolean {
    const last = loggedAt.get(cause);
    if (last === undefined || now() - last >= REMINDER_INTERVAL_MS) return true;
    // The same cause in another outage.
    return last < restoredAt && downSince - restoredAt >= SETTLED_AFTER_MS;
  }

  return {
    failed(part, error) {
      if (down.size === 0) {
        downSince = now();
        isLogged = false;
      }
      down.add(part);
      attempts += 1;
      const line = { connections: [...down], error: errorMessage(error) };
      const cause = causeOf(error);
      if (!isDue(cause)) {
        logger.debug(line, lost);
        return;
      }
      logger.warn({ ...line, attempts, downMs: now() - downSince }, lost);
      loggedAt.set(cause, now());
      isLogged = true;
      attempts = 0;
    },
    works(part) {
      if (!down.delete(part) || down.size > 0) return;
      restoredAt = now();
      attempts = 0;
      if (isLogged) logger.info({ downMs: restoredAt - downSince }, restored);
    },
    get isDown() {
      return down.size > 0;
    },
  };
}
