import type { MessageFlowLogger } from './message-flow.ts';

/** All have a default. A value that makes no sense is replaced by it: the bot must start whatever its settings say. */
export interface RealtimeAppointmentsOptions {
  /** Where the API is; a path in it is kept, and `localhost:3001` means http. Default `http://localhost:3001`. */
  backendUrl?: string | undefined;
  /** One of the API's `INTERNAL_SERVICE_API_KEY`s. Without it every call answers false, with a warning. */
  apiKey?: string | undefined;
  /** Default: JSON lines appended to `<logDir>/message-flow.log`. */
  logger?: MessageFlowLogger | undefined;
  /** Default `logs`. */
  logDir?: string | undefined;
  /** From call to answer, everything included. Default 2000. */
  deadlineMs?: number | undefined;
  /** One HTTP attempt. Default 1200: more than a backend that takes a second, and it leaves time for another way. */
  attemptTimeoutMs?: number | undefined;
  /** HTTP attempts per call. Default 4. */
  maxAttempts?: number | undefined;
  /** Bound of the first pause; it doubles up to `maxRetryDelayMs`. Defaults 100 and 500. */
  firstRetryDelayMs?: number | undefined;
  maxRetryDelayMs?: number | undefined;
  /** Consecutive failed attempts after which a way is taken for dead. Default 5. */
  failuresToOpen?: number | undefined;
  /** How long it then rests before one probe. Default 2000. */
  coolDownMs?: number | undefined;
  /** Default true: over a WebSocket once HTTP is exhausted, if socket.io-client is installed. */
  socketFallback?: boolean | undefined;
  /** How long an unused WebSocket is kept. Default 30000. */
  socketIdleMs?: number | undefined;
}

export interface Settings {
  /** Undefined: what was given is no http(s) address. */
  backendUrl: URL | undefined;
  /** Undefined: none was given, or one that no header can hold. */
  apiKey: string | undefined;
  /** Why nothing can be sent with these settings. */
  problem: { level: 'warn' | 'error'; reason: string } | undefined;
  logDir: string;
  deadlineMs: number;
  attemptTimeoutMs: number;
  maxAttempts: number;
  firstRetryDelayMs: number;
  maxRetryDelayMs: number;
  failuresToOpen: number;
  coolDownMs: number;
  socketFallback: boolean;
  socketIdleMs: number;
}

export function toSettings(options: RealtimeAppointmentsOptions): Settings {
  const backendUrl = readUrl(text(options.backendUrl) ?? 'http://localhost:3001');
  const given = text(options.apiKey);
  const apiKey = given !== undefined && isSendable(given) ? given : undefined;
  return {
    backendUrl,
    apiKey,
    problem: problemOf(given, apiKey, backendUrl),
    logDir: text(options.logDir) ?? 'logs',
    deadlineMs: positive(options.deadlineMs, 2_000),
    attemptTimeoutMs: positive(options.attemptTimeoutMs, 1_200),
    maxAttempts: Math.ceil(positive(options.maxAttempts, 4)),
    firstRetryDelayMs: positive(options.firstRetryDelayMs, 100),
    maxRetryDelayMs: positive(options.maxRetryDelayMs, 500),
    failuresToOpen: Math.ceil(positive(options.failuresToOpen, 5)),
    coolDownMs: positive(options.coolDownMs, 2_000),
    socketFallback: options.socketFallback ?? true,
    socketIdleMs: positive(options.socketIdleMs, 30_000),
  };
}

/** Undefined for an empty one too, which is what `KEY=` in an environment file gives. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** As the API takes keys: visible ASCII, not in quotes. A header with anything else could not be sent. */
function isSendable(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key) && !/^(["'`]).*\1$/.test(key);
}

function problemOf(
  given: string | undefined,
  apiKey: string | undefined,
  url: URL | undefined,
): Settings['problem'] {
  if (given === undefined) return { level: 'warn', reason: 'INTERNAL_SERVICE_API_KEY is not set' };
  if (apiKey === undefined) {
    const reason =
      'INTERNAL_SERVICE_API_KEY stands in quotes, or has a space or another character that no key has';
    return { level: 'error', reason };
  }
  return url === undefined
    ? { level: 'error', reason: 'BACKEND_API_URL is not an http(s) address' }
    : undefined;
}

function readUrl(given: string): URL | undefined {
  // URL would take the host of localhost:3001 for a scheme.
  const address = /^([\w.-]+|\[[\da-f:.]+\]):\d+(?:[/?#]|$)/i.test(given) ? `http://${given}` : given;
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  url.search = '';
  url.hash = '';
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

/** A timer longer than 2^31 ms would fire at once. */
function positive(value: number | undefined, otherwise: number): number {
  return typeof value === 'number' && value > 0 && value < 2 ** 31 ? value : otherwise;
}
