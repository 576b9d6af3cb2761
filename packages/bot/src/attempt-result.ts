/** Reply to one attempt, over HTTP or over the socket. */
export interface Answer {
  status: number;
  /** Parsed JSON; undefined if the body is not JSON. */
  body: unknown;
  /** The body as received. For the log, which redacts it and then cuts it. */
  text: string;
  retryAfterMs?: number | undefined;
}

/** Result of an attempt. It decides the next step. */
export type AttemptResult =
  /** The emission is in the queue. */
  | { outcome: 'accepted'; answer: Answer }
  /** A repetition would be refused too. */
  | { outcome: 'refused'; answer: Answer }
  /** 409 or 429: the request may be accepted later. */
  | { outcome: 'postponed'; answer: Answer }
  /** 5xx, or a reply that is not from our backend. */
  | { outcome: 'unavailable'; answer: Answer }
  /** No reply: network error or timeout. The emission may have been accepted. */
  | { outcome: 'unanswered'; error: unknown; timedOut: boolean }
  /** The circuit breakers are open, so nothing was sent. */
  | { outcome: 'not-tried' };

export type ClassifyReply = (answer: Answer) => AttemptResult;

const CONFLICT = 409;
const TOO_MANY_REQUESTS = 429;

export function classifySingleReply(answer: Answer): AttemptResult {
  if (isSuccess(answer)) return { outcome: 'accepted', answer };
  if (answer.status === CONFLICT || answer.status === TOO_MANY_REQUESTS)
    return { outcome: 'postponed', answer };
  if (answer.status >= 300 && answer.status < 500) return { outcome: 'refused', answer };
  // 5xx, or a 2xx with a foreign body, such as the page of a proxy.
  return { outcome: 'unavailable', answer };
}

/** A batch is accepted if every item is. If an item may be accepted later, the batch is sent again with the same key. */
export function classifyBatchReply(answer: Answer): AttemptResult {
  const result = classifySingleReply(answer);
  if (result.outcome !== 'accepted') return result;
  const rejected = rejectedItems(answer.body);
  if (rejected.length === 0) return result;
  const isTemporary = rejected.some(({ status }) => status >= 500 || status === TOO_MANY_REQUESTS);
  return { outcome: isTemporary ? 'postponed' : 'refused', answer };
}

interface RejectedItem {
  index: number;
  status: number;
  code?: unknown;
}

/** The rejected items of a batch reply. Empty for any other body. */
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
