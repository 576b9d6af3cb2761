/** Every code that leaves the process: in an answer, a failed job or a log. The table is docs/reference/errors.md. */
export const ERROR_CODES = {
  INVALID_REQUEST: 400,
  INVALID_APPOINTMENT_ID: 400,
  INVALID_COMPANY_ID: 400,
  INVALID_EVENT: 400,
  INVALID_IDEMPOTENCY_KEY: 400,
  INVALID_RANGE: 400,
  MALFORMED_JSON: 400,
  API_KEY_MISSING: 401,
  TOKEN_INVALID: 401,
  ADMIN_AUTH_REQUIRED: 401,
  API_KEY_WRONG: 403,
  ADMIN_READ_ONLY: 403,
  CROSS_ORIGIN: 403,
  SCOPE_INVALID: 403,
  APPOINTMENT_NOT_FOUND: 404,
  COMPANY_MISMATCH: 404,
  EMISSION_NOT_FOUND: 404,
  ROUTE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  IDEMPOTENCY_IN_PROGRESS: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IDEMPOTENCY_KEY_REUSED: 422,
  RATE_LIMITED: 429,
  DATABASE_ERROR: 500,
  INTERNAL_ERROR: 500,
  QUEUE_UNAVAILABLE: 503,
  TOKEN_KEYS_UNAVAILABLE: 503,
  QUEUE_FULL: 503,
  SNAPSHOT_TOO_LARGE: 500,
  JOB_INVALID: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error with a code. It is translated once, at a boundary: into an HTTP status or a job's failure. */
export class AppError extends Error {
  readonly code: ErrorCode;
  /** Seconds after which the same call may succeed. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return ERROR_CODES[this.code];
  }
}

/** @param problem  such as `does not answer; try again in a moment` */
export function queueUnavailable(problem: string, cause?: unknown): AppError {
  return new AppError('QUEUE_UNAVAILABLE', `the queue ${problem}`, { cause, retryAfterSeconds: 1 });
}

/**
 * The message of anything that was thrown; never empty. Node's error for a host with several addresses has no message; its
 * inner errors have.
 */
export function errorMessage(thrown: unknown): string {
  if (!(thrown instanceof Error)) return textOf(thrown) || 'unknown error';
  if (thrown.message !== '') return thrown.message;
  if (thrown instanceof AggregateError && thrown.errors.length > 0)
    return [...new Set(thrown.errors.map(errorMessage))].join('; ');
  return codeOf(thrown) ?? (thrown.cause === undefined ? thrown.name : errorMessage(thrown.cause));
}

/** An object without a prototype, or with a `toString` that throws, has no text. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'unknown error';
  }
}

/**
 * Names the cause of an error, so that errors of one cause count as one even if their messages differ: a code, the first
 * word of a Redis reply (`WRONGPASS`), or the error's name.
 */
export function causeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'unknown';
  return (
    codeOf(thrown) ??
    (thrown.cause instanceof Error ? codeOf(thrown.cause) : undefined) ??
    /\b[A-Z]{4,}\b/.exec(errorMessage(thrown))?.[0] ??
    thrown.name
  );
}

/** A code, or the error's name: never its message, which may quote a document. */
export function errorCode(thrown: unknown): string {
  return thrown instanceof Error ? (codeOf(thrown) ?? thrown.name) : 'unknown';
}

/**
 * Like {@link causeOf}, but two errors without a code are of one cause only if their messages are equal. Numbers, ids and quoted
 * texts in the messages are ignored.
 */
export function distinctCauseOf(thrown: unknown): string {
  const message = errorMessage(thrown);
  const isNamed =
    thrown instanceof Error &&
    (codeOf(thrown) ?? (thrown.cause instanceof Error ? codeOf(thrown.cause) : undefined)) !== undefined;
  if (isNamed || /^[A-Z]{4,}\b/.test(message)) return causeOf(thrown);
  const pattern = message
    .slice(0, MAX_COMPARED_LENGTH)
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '…')
    .replace(/\b(?=\w*\d)[\w-]+/g, '#');
  return `${causeOf(thrown)}: ${pattern}`;
}

/** Of a message, when the causes of two errors are compared. */
const MAX_COMPARED_LENGTH = 200;

function codeOf(error: Error): string | undefined {
  if (!('code' in error)) return undefined;
  return typeof error.code === 'string' || typeof error.code === 'number' ? String(error.code) : undefined;
}
