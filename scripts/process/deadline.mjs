import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks again until `probe` gives something other than undefined.
 * @template T
 * @param {() => T | undefined | Promise<T | undefined>} probe  what it throws ends the wait
 * @param {{ what: string, withinMs: number, everyMs?: number }} options  `what` completes "waited in vain for …"
 * @returns {Promise<T>}
 */
export async function until(probe, { what, withinMs, everyMs = 25 }) {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() >= giveUpAt) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await delay(everyMs);
  }
}
