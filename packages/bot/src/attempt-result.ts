/** What came back of one attempt, over HTTP or over the socket. */
export interface Answer {
  status: number;
  /** Parsed JSON; undefined where it was none. */
  body: unknown;
  /** The body as it came, cut: for the log. */
  text: string;
  retryAfterMs?: number | undefined;
}

/** What an answer means for what to do next. */
export type AttemptResult =
  /** It is in the queue. */
  | { outcome: 'accepted'; answer: Answer }
  /** Asking again can't change the answer. */
  | { outcome: 'refused'; answer: Answer }
  /** The backend lives and says: later. */
  | { outcome: 'postponed'; answer: Answer }
  /** 5xx, or something that no backend of ours would say. */
  | { outcome: 'unavailable'; answer: Answer }
  /** No answer: network error or timeout. It can have been accepted all the same. */
  | { outcome: 'unanswered'; error: unknown; timedOut: boolean }
  /** The circuit breakers are open: nothing was tried. */
  | { outcome: 'not-tried' };

export type ClassifyReply = (answer: Answer) => AttemptResult;

const CONFLICT = 409;
const TOO_MANY_REQUESTS = 429;

export function classifySingleReply(answer: Answer): AttemptResult {
  if (isSuccess(answer)) return { outcome: 'accepted', answer };
  if (answer.status === CONFLICT || answer.status === TOO_MANY_REQUESTS)
    return { outcome: 'postponed', answer };
  if (answer.status >= 300 && answer.status < 500) return { outcome: 'refused', answer };
  // 5xx, and a 2xx without our body: a proxy's page, or garbage.
  return { outcome: 'unavailable', answer };
}

/** A batch is accepted once every item is. Items that may pass later make it worth sending again, with its key. */
export function classifyBatchReply(answer: Answer): AttemptResult {
  const verdict = classifySingleReply(answer);
  if (verdict.outcome !== 'accepted') return verdict;
  const rejected = rejectedItems(answer.body);
  if (rejected.length === 0) return verdict;
  const later = rejected.some(({ status }) => status >= 500 || status === TOO_MANY_REQUESTS);
  return { outcome: later ? 'postponed' : 'refused', answer };
}

interface RejectedItem {
  index: number;
  status: number;
  code?: unknown;
}

export function rejectedItems(body: unknown): RejectedItem[] {
  if (!isRecord(body) || !Array.isArray(body.results)) return [];
  return body.results.filter(
    (item: unknown): item is RejectedItem =>
      isRecord(item) &&
      typeof item.index === 'number' &&
      typeof item.status === 'number' &&
      item.status >= 300,
  );
}

function isSuccess({ status, body }: Answer): boolean {
  return status >= 200 && status < 300 && isRecord(body) && body.success === true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
