import { backoffMs } from './backoff.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { pause, startDeadline, untilAborted, type Deadline } from './deadline.ts';
import type { HttpTransport } from './http-transport.ts';
import type { Settings } from './options.ts';
import type { EmissionRequest } from './requests.ts';
import type { SocketTransport } from './socket-transport.ts';
import {
  classifySingleReply,
  type Answer,
  type ClassifyReply,
  type AttemptResult,
} from './attempt-result.ts';

export interface Delivery {
  verdict: AttemptResult;
  /** The way that the verdict came by. */
  via: 'http' | 'socket';
  attempts: number;
}

interface Deps {
  http: HttpTransport;
  httpBreaker: CircuitBreaker;
  socket: SocketTransport | undefined;
  socketBreaker: CircuitBreaker;
  settings: Settings;
}

/** An attempt shorter than this is not worth starting. */
const MIN_ATTEMPT_MS = 20;
/** How many of a batch are under way at once over the socket. */
const SOCKET_WINDOW = 32;

/**
 * HTTP attempts with backoff, then the socket. What each layer covers: retries, a blink (a restart, a lost connection,
 * a full pool); the socket, an HTTP path that is broken; the breakers, a backend that stays away; the key on all of
 * them, an answer that got lost. What is left over, and a bot that dies before it gets here, the sweep finds.
 */
export function createDeliver({ http, httpBreaker, socket, socketBreaker, settings }: Deps) {
  const socketReady = (): boolean => (socket?.usable() ?? false) && socketBreaker.lets();

  async function attempt(
    breaker: CircuitBreaker,
    work: (signal: AbortSignal) => Promise<Answer>,
    judge: ClassifyReply,
    limitMs: number,
    outer: AbortSignal,
  ): Promise<AttemptResult> {
    const pass = breaker.enter();
    if (pass === undefined) return { outcome: 'not-tried' };
    const limit = startDeadline(limitMs, outer);
    let verdict: AttemptResult;
    try {
      const answer = await untilAborted(work(limit.signal), limit.signal);
      verdict = answer === undefined ? timedOut(limitMs) : judge(answer);
    } catch (error) {
      verdict = limit.signal.aborted ? timedOut(limitMs) : { outcome: 'unanswered', error, timedOut: false };
    } finally {
      limit.end();
    }
    if (verdict.outcome === 'unavailable' || verdict.outcome === 'unanswered') pass.failed();
    else pass.succeeded();
    return verdict;
  }

  async function overHttp(request: EmissionRequest, deadline: Deadline): Promise<Delivery> {
    let verdict: AttemptResult = { outcome: 'not-tried' };
    let attempts = 0;
    while (attempts < settings.maxAttempts) {
      const leftMs = deadline.leftMs() - (socketReady() ? settings.deadlineMs / 4 : 0);
      if (leftMs < MIN_ATTEMPT_MS) break;
      const next = await attempt(
        httpBreaker,
        (signal) => http.post(request.path, request.body, request.idempotencyKey, signal),
        request.judge,
        Math.min(leftMs, settings.attemptTimeoutMs),
        deadline.signal,
      );
      if (next.outcome === 'not-tried') break;
      verdict = next;
      attempts += 1;
      if (verdict.outcome === 'accepted' || verdict.outcome === 'refused') break;
      if (attempts === settings.maxAttempts || !httpBreaker.lets()) break;
      const waitMs = retryDelayMs(verdict, attempts);
      if (waitMs >= deadline.leftMs()) break;
      await pause(waitMs, deadline.signal);
    }
    return { verdict, via: 'http', attempts };
  }

  function retryDelayMs(verdict: AttemptResult, attempts: number): number {
    const asked = 'answer' in verdict ? (verdict.answer.retryAfterMs ?? 0) : 0;
    return asked + backoffMs(attempts, settings.firstRetryDelayMs, settings.maxRetryDelayMs);
  }

  async function overSocket(
    request: EmissionRequest,
    way: SocketTransport,
    deadline: Deadline,
  ): Promise<AttemptResult> {
    let last: AttemptResult = { outcome: 'not-tried' };
    for (const emissions of windows(request.overSocket)) {
      const verdicts = await Promise.all(
        emissions.map((emission) => {
          const work = (signal: AbortSignal): Promise<Answer> => way.emit(emission, signal);
          return attempt(socketBreaker, work, classifySingleReply, deadline.leftMs(), deadline.signal);
        }),
      );
      last = verdicts.find(({ outcome }) => outcome !== 'accepted') ?? verdicts[0] ?? last;
      if (last.outcome !== 'accepted') break;
    }
    return last;
  }

  return async function deliver(request: EmissionRequest, deadline: Deadline): Promise<Delivery> {
    const first = await overHttp(request, deadline);
    if (!isWorthAnotherWay(first.verdict) || socket === undefined || !socketReady()) return first;
    if (deadline.leftMs() < MIN_ATTEMPT_MS) return first;
    const verdict = await overSocket(request, socket, deadline);
    // If neither got through, HTTP's reason tells more.
    const better = verdict.outcome === 'accepted' || first.verdict.outcome === 'not-tried';
    return better ? { verdict, via: 'socket', attempts: first.attempts + 1 } : first;
  };
}

/** The first alone: it opens the connection, or is the breaker's one probe. */
function windows<T>(items: T[]): T[][] {
  const result = [items.slice(0, 1)];
  for (let at = 1; at < items.length; at += SOCKET_WINDOW) result.push(items.slice(at, at + SOCKET_WINDOW));
  return result;
}

/** 409 and 429 are the backend's own word, which it would give on the socket as well. */
function isWorthAnotherWay({ outcome }: AttemptResult): boolean {
  return outcome === 'unavailable' || outcome === 'unanswered' || outcome === 'not-tried';
}

function timedOut(limitMs: number): AttemptResult {
  const error = new Error(
    `no answer within ${Math.round(limitMs)} ms: it may have been accepted all the same`,
  );
  return { outcome: 'unanswered', error, timedOut: true };
}
