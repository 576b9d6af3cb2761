import { setTimeout as delay } from 'node:timers/promises';

/**
 * Calls `probe` until it returns something other than undefined, and resolves to that.
 * @param what completes the error message "timed out after 8000 ms waiting for …"
 * @throws what `probe` throws, or an error after `withinMs`
 */
export async function pollUntil<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  { what, withinMs, everyMs = 25 }: { what: string; withinMs: number; everyMs?: number },
): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() >= giveUpAt) throw new Error(`timed out after ${withinMs} ms waiting for ${what}`);
    await delay(everyMs);
  }
}
