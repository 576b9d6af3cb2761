import type { Answer } from '../chaos/shop.ts';

/** How often an answer was given, and after how long at most. */
export interface AnswerCount {
  brought: string;
  times: number;
  longestMs: number;
}

/** Promised, in ms. */
const PROMISED = [
  ['500', 1_000],
  ['503', 2_000],
] as const;
/** Right under any fault: a call that is made again may find that the first is still in progress, for 3 s at most. */
const MADE_AGAIN = '409 IDEMPOTENCY_IN_PROGRESS';
/** For a busy machine. */
const ALLOWANCE_MS = 500;

export function summarise(answers: readonly Answer[]): AnswerCount[] {
  const counts = new Map<string, AnswerCount>();
  for (const { brought, tookMs } of answers) {
    const count = counts.get(brought) ?? { brought, times: 0, longestMs: 0 };
    counts.set(brought, { brought, times: count.times + 1, longestMs: Math.max(count.longestMs, tookMs) });
  }
  return [...counts.values()].sort((a, b) => a.brought.localeCompare(b.brought));
}

/** What is wrong with them: answers that this fault excuses not, that came late, or that should say when to come again. */
export function judgeAnswers(answers: readonly Answer[], allowed: readonly string[]): string[] {
  const wrong = answers.flatMap(({ brought, tookMs, retryAfter }) => {
    if (!['202', MADE_AGAIN, ...allowed].includes(brought)) return [`a bot was answered ${brought}`];
    const promised = PROMISED.find(([status]) => brought.startsWith(status))?.[1];
    if (promised !== undefined && tookMs > promised + ALLOWANCE_MS)
      return [`${brought} came after ${tookMs} ms`];
    if (/^(409|429|503)/.test(brought) && !retryAfter) return [`${brought} came without Retry-After`];
    return [];
  });
  return [...new Set(wrong)];
}
