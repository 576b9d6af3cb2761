import type { AttemptResult, Answer, ClassifyReply } from './attempt-result.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { startDeadline, untilAborted } from './deadline.ts';

interface Attempt {
  /** Decides whether the attempt may start, and records how it ended. */
  breaker: CircuitBreaker;
  send: (signal: AbortSignal) => Promise<Answer>;
  classify: ClassifyReply;
  limitMs: number;
  /** Ends the attempt early. */
  signal: AbortSignal;
}

/** Sends a request once. Never rejects: an error and a timeout are results too. */
export async function attempt({ breaker, send, classify, limitMs, signal }: Attempt): Promise<AttemptResult> {
  const pass = breaker.enter();
  if (pass === undefined) return { outcome: 'not-tried' };
  const limit = startDeadline(limitMs, signal);
  let result: AttemptResult;
  try {
    const answer = await untilAborted(send(limit.signal), limit.signal);
    result = answer === undefined ? timedOut(limitMs) : classify(answer);
  } catch (error) {
    result = limit.signal.aborted ? timedOut(limitMs) : { outcome: 'unanswered', error, timedOut: false };
  } finally {
    limit.end();
  }
  if (result.outcome === 'unavailable' || result.outcome === 'unanswered') pass.failed();
  else pass.succeeded();
  return result;
}

/** The result of an attempt, or of a whole call, without a reply within `limitMs`. */
export function timedOut(limitMs: number): AttemptResult {
  const error = new Error(`no reply within ${Math.round(limitMs)} ms; it may have been accepted`);
  return { outcome: 'unanswered', error, timedOut: true };
}
