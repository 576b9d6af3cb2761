import { setTimeout as pause } from 'node:timers/promises';
import { within } from '../../src/process/lifecycle.ts';

const DEADLINE_MS = 15_000;
const POLL_EVERY_MS = 20;

/** Resolves as `signal` does. @throws after `deadlineMs`; the message names what it waited for */
export function until<T>(what: string, signal: Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  return within(deadlineMs, `waiting for ${what}`, signal);
}

/**
 * Calls `probe` until it returns something truthy, and resolves to that: for states that send no signal. If `probe`
 * throws, it is called again.
 * @throws after `deadlineMs`; the message names what it waited for, and the last result
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<NonNullable<T>> {
  const giveUpAt = Date.now() + deadlineMs;
  let last: unknown;
  while (Date.now() < giveUpAt) {
    try {
      const result = await probe();
      if (result) return result;
      last = result;
    } catch (error) {
      last = error;
    }
    await pause(POLL_EVERY_MS);
  }
  throw new Error(`${what} was not reached within ${deadlineMs} ms; last result: ${String(last)}`);
}
