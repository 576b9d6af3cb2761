import type { LeftOutRow } from '../src/domain/updated-rows.ts';
import type { Logger } from '../src/process/logger.ts';

const LOG_EVERY_MS = 10_000;
const MAX_IDS = 20;

/** Logs rows that the sweep leaves out: at once, then at most every 10 s with all that were met since. */
export function createLogLeftOut(flow: Logger, now: () => number = () => performance.now()) {
  let loggedAt = -Infinity;
  let pending: LeftOutRow[] = [];
  return (rows: readonly LeftOutRow[]): void => {
    pending.push(...rows);
    if (now() - loggedAt < LOG_EVERY_MS) return;
    const appointmentIds = pending.flatMap(({ appointmentId }) => appointmentId ?? []).slice(0, MAX_IDS);
    const fields = [...new Set(pending.map(({ field }) => field))];
    flow.warn({ rows: pending.length, fields, appointmentIds }, 'rows left out by the sweep');
    loggedAt = now();
    pending = [];
  };
}
