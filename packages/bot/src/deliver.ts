import { attempt } from './attempt.ts';
import { classifySingleReply, type AttemptResult } from './attempt-result.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { pause, type Deadline } from './deadline.ts';
import type { HttpTransport } from './http-transport.ts';
import type { Settings } from './options.ts';
import type { DeliveryRequest } from './requests.ts';
import type { SocketTransport } from './socket-transport.ts';

/** How a request ended. */
export interface Delivery {
  result: AttemptResult;
  /** The transport that gave the result. */
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

/** With less time left, no attempt is started. */
const MIN_ATTEMPT_MS = 20;
/** Maximum number of concurrent emissions of a batch over the socket. */
const SOCKET_WINDOW = 32;

/**
 * Delivers requests: HTTP attempts with backoff, then the socket. It never rejects.
 *
 * | mechanism        | covers                                                                     |
 * | ---------------- | -------------------------------------------------------------------------- |
 * | retries          | short faults: a restart, a lost connection, an exhausted connection pool   |
 * | socket           | a broken HTTP path to a working backend                                    |
 * | circuit breakers | a long outage                                                              |
 * | idempotency key  | a lost reply: all attempts of a request are the same emission              |
 *
 * The sweep of the backend covers all other cases, such as a bot that crashes before its call.
 */
export function createDeliver(deps: Deps) {
  const { socket, socketBreaker, settings } = deps;
  const isSocketReady = (): boolean => (socket?.usable() ?? false) && socketBreaker.isReady();
  /** Time before the deadline that is reserved for the socket. */
  const reserveMs = (): number => (isSocketReady() ? settings.deadlineMs / 4 : 0);

  return async function deliver(request: DeliveryRequest, deadline: Deadline): Promise<Delivery> {
    const first = await deliverOverHttp(deps, request, deadline, reserveMs);
    if (!mayAnotherTransportHelp(first.result) || socket === undefined || !isSocketReady()) return first;
    if (deadline.leftMs() < MIN_ATTEMPT_MS) return first;
    const result = await deliverOverSocket(socket, socketBreaker, request, deadline);
    // If both failed, the result of HTTP has more detail.
    const isBetter = result.outcome === 'accepted' || first.result.outcome === 'not-tried';
    return isBetter ? { result, via: 'socket', attempts: first.attempts + 1 } : first;
  };
}

async function deliverOverHttp(
  { http, httpBreaker, settings }: Deps,
  request: DeliveryRequest,
  deadline: Deadline,
  reserveMs: () => number,
): Promise<Delivery> {
  let result: AttemptResult = { outcome: 'not-tried' };
  let attempts = 0;
  while (attempts < settings.maxAttempts) {
    const leftMs = deadline.leftMs() - reserveMs();
    if (leftMs < MIN_ATTEMPT_MS) break;
    const next = await attempt({
      breaker: httpBreaker,
      send: (signal) => http.post(request, signal),
      classify: request.classify,
      limitMs: Math.min(leftMs, settings.attemptTimeoutMs),
      signal: deadline.signal,
    });
    if (next.outcome === 'not-tried') break;
    result = next;
    attempts += 1;
    if (result.outcome === 'accepted' || result.outcome === 'refused') break;
    if (attempts === settings.maxAttempts || !httpBreaker.isReady()) break;
    const waitMs = retryDelayMs(result, attempts, settings);
    if (waitMs >= deadline.leftMs()) break;
    await pause(waitMs, deadline.signal);
  }
  return { result, via: 'http', attempts };
}

/** The backend's `Retry-After`, plus exponential backoff with full jitter, which spreads the retries of many bots. */
function retryDelayMs(result: AttemptResult, attempts: number, settings: Settings): number {
  const retryAfterMs = 'answer' in result ? (result.answer.retryAfterMs ?? 0) : 0;
  const boundMs = Math.min(settings.maxRetryDelayMs, settings.firstRetryDelayMs * 2 ** (attempts - 1));
  return retryAfterMs + Math.random() * boundMs;
}

/** Sends each emission of the request by itself. Stops at the first window with one that was not accepted. */
async function deliverOverSocket(
  socket: SocketTransport,
  breaker: CircuitBreaker,
  request: DeliveryRequest,
  deadline: Deadline,
): Promise<AttemptResult> {
  let last: AttemptResult = { outcome: 'not-tried' };
  for (const emissions of windows(request.socketRequests)) {
    const results = await Promise.all(
      emissions.map((emission) =>
        attempt({
          breaker,
          send: (signal) => socket.emit(emission, signal),
          classify: classifySingleReply,
          limitMs: deadline.leftMs(),
          signal: deadline.signal,
        }),
      ),
    );
    last = results.find(({ outcome }) => outcome !== 'accepted') ?? results[0] ?? last;
    if (last.outcome !== 'accepted') break;
  }
  return last;
}

/** The first window has one item: it opens the connection, or is the only probe that the circuit breaker allows. */
function windows<T>(items: T[]): T[][] {
  const result = [items.slice(0, 1)];
  for (let at = 1; at < items.length; at += SOCKET_WINDOW) result.push(items.slice(at, at + SOCKET_WINDOW));
  return result;
}

/** False after 409 and 429, since the backend would send the same reply over the socket. */
function mayAnotherTransportHelp({ outcome }: AttemptResult): boolean {
  return outcome === 'unavailable' || outcome === 'unanswered' || outcome === 'not-tried';
}
