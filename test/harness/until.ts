import { setTimeout as pause } from 'node:timers/promises';
import { within } from '../../src/process/lifecycle.ts';

const DEADLINE_MS = 15_000;
const LOOK_EVERY_MS = 20;

/** Resolves as `signal` does; fails with words that say what was waited for. */
export function until<T>(what: string, signal: Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  return within(deadlineMs, `waiting for ${what}`, signal);
}

/** Looks until `look` gives something truthy, for states that send no signal of their own. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<NonNullable<T>> {
  const giveUpAt = Date.now() + deadlineMs;
  let last: unknown;
  while (Date.now() < giveUpAt) {
    try {
      const seen = await look();
      if (seen) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    await pause(LOOK_EVERY_MS);
  }
  throw new Error(`${what} did not come true within ${deadlineMs} ms; last seen: ${String(last)}`);
}
