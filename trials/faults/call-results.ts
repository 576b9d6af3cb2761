import type { CallResult } from '../chaos/workload.ts';

/** How often an outcome occurred, and the longest call with it. */
export interface CallResultCount {
  outcome: string;
  times: number;
  maxDurationMs: number;
}

/** The promised response times by status, in ms. */
const MAX_RESPONSE_MS = [
  ['500', 1_000],
  ['503', 2_000],
] as const;
/** Allowed under any fault: a repeated call can find the first one still in progress, for at most 3 s. */
const REPEATED_CALL = '409 IDEMPOTENCY_IN_PROGRESS';
/** Tolerance for a busy machine. */
const TOLERANCE_MS = 500;

export function summarize(results: readonly CallResult[]): CallResultCount[] {
  const counts = new Map<string, CallResultCount>();
  for (const { outcome, durationMs } of results) {
    const count = counts.get(outcome) ?? { outcome, times: 0, maxDurationMs: 0 };
    counts.set(outcome, {
      outcome,
      times: count.times + 1,
      maxDurationMs: Math.max(count.maxDurationMs, durationMs),
    });
  }
  return [...counts.values()].sort((a, b) => a.outcome.localeCompare(b.outcome));
}

/** Returns a message for each kind of violation: an outcome that is not allowed, a late response, a missing `Retry-After`. */
export function findProblems(results: readonly CallResult[], allowed: readonly string[]): string[] {
  const problems = results.flatMap(({ outcome, durationMs, hasRetryAfter }) => {
    if (!['202', REPEATED_CALL, ...allowed].includes(outcome)) return [`a call got ${outcome}`];
    const maxMs = MAX_RESPONSE_MS.find(([status]) => outcome.startsWith(status))?.[1];
    if (maxMs !== undefined && durationMs > maxMs + TOLERANCE_MS)
      return [`${outcome} came after ${durationMs} ms`];
    if (/^(409|429|503)/.test(outcome) && !hasRetryAfter) return [`${outcome} came without Retry-After`];
    return [];
  });
  return [...new Set(problems)];
}
