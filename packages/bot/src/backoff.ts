/**
 * Exponential backoff with full jitter: anything from 0 to the exponential bound, so that bots that failed together
 * don't come back together.
 */
export function backoffMs(attempt: number, firstMs: number, maxMs: number): number {
  return Math.random() * Math.min(maxMs, firstMs * 2 ** (attempt - 1));
}

/** `Retry-After` in seconds or as an HTTP date. Undefined where there is none that makes sense. */
export function readRetryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  // Date.parse reads nearly anything; only a date that is written as HTTP writes it comes back the same.
  const isHttpDate = !Number.isNaN(date) && new Date(date).toUTCString() === header;
  return isHttpDate ? Math.max(0, date - Date.now()) : undefined;
}
