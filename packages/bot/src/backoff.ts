/**
 * Exponential backoff with full jitter: anything from 0 to the exponential bound, so that bots that failed together
 * don't come back together.
 */
export function backoffMs(attempt: number, firstMs: number, maxMs: number): number {
  return Math.random() * Math.min(maxMs, firstMs * 2 ** (attempt - 1));
}

/** `Retry-After` in seconds or as an HTTP date. Undefined where there is none that makes sense. */
export function readRetryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '') return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
