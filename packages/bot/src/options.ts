import type { MessageFlowLogger } from './message-flow.ts';

/**
 * Options of {@link createRealtimeAppointments}. All have a default. An invalid value is replaced by it, because the bot must
 * start with any settings.
 */
export interface RealtimeAppointmentsOptions {
  /** Address of the API. A path in it is kept, and `localhost:3001` means http. Default `http://localhost:3001`. */
  backendUrl?: string | undefined;
  /**
   * One of the API's `INTERNAL_SERVICE_API_KEY`s. If several are given, separated by commas, the first is used. Without a key
   * every call resolves to false and logs a warning.
   */
  apiKey?: string | undefined;
  /** Address and key in an application's own `config` object. Used if `backendUrl` or `apiKey` is not given. */
  config?:
    | {
        backend?: { apiUrl?: string | undefined } | undefined;
        security?: { internalApiKey?: string | undefined } | undefined;
      }
    | undefined;
  /** Default: JSON lines in `<logDir>/message-flow.log`, and on the console each reason of a failure once. */
  logger?: MessageFlowLogger | undefined;
  /** Default `logs`. */
  logDir?: string | undefined;
  /** Maximum duration of a call. Default 2000. */
  deadlineMs?: number | undefined;
  /** Maximum duration of one HTTP attempt. The default, 1200, leaves time for the socket. */
  attemptTimeoutMs?: number | undefined;
  /** HTTP attempts per call. Default 4. */
  maxAttempts?: number | undefined;
  /** Upper bound of the first pause between attempts. It doubles with each attempt. Default 100. */
  firstRetryDelayMs?: number | undefined;
  /** Largest upper bound of a pause. Default 500. */
  maxRetryDelayMs?: number | undefined;
  /** Number of consecutive failed attempts that open a circuit breaker. Default 5. */
  failuresToOpen?: number | undefined;
  /** How long a circuit breaker stays open before a probe. Default 2000. */
  coolDownMs?: number | undefined;
  /** Whether a call uses a WebSocket if HTTP fails. It needs socket.io-client. Default true. */
  socketFallback?: boolean | undefined;
  /** How long an unused WebSocket stays open. Default 30000. */
  socketIdleMs?: number | undefined;
}

export interface Settings {
  /** Undefined if the given text is not an http(s) address. */
  backendUrl: URL | undefined;
  /** Undefined if none was given, or if the given one cannot be sent in a header. */
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
  const { backend, security } = options.config ?? {};
  const backendUrl = readUrl(text(options.backendUrl) ?? text(backend?.apiUrl) ?? 'http://localhost:3001');
  const given = firstKey(options.apiKey) ?? firstKey(security?.internalApiKey);
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

/** Returns undefined for an empty text too, which `KEY=` in an environment file gives. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** While keys are rotated, the setting may contain several, separated by commas. The first is the newest. */
function firstKey(value: unknown): string | undefined {
  return text(
    text(value)
      ?.split(',')
      .find((key) => key.trim() !== ''),
  );
}

/** Accepts the keys that the API accepts: visible ASCII without quotes around it. */
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
      'INTERNAL_SERVICE_API_KEY is enclosed in quotes, or contains a space or another character that a key cannot contain';
    return { level: 'error', reason };
  }
  return url === undefined
    ? { level: 'error', reason: 'BACKEND_API_URL is not an http(s) address' }
    : undefined;
}

function readUrl(given: string): URL | undefined {
  // URL would parse the host of localhost:3001 as a scheme.
  const address = /^([\w.-]+|\[[\da-f:.]+\]):\d+(?:[/?#]|$)/i.test(given) ? `http://${given}` : given;
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  url.search = '';
  url.hash = '';
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

/** Returns the default for an invalid number. A timer of 2^31 ms or more would fire immediately. */
function positive(value: number | undefined, otherwise: number): number {
  return typeof value === 'number' && value > 0 && value < 2 ** 31 ? value : otherwise;
}
