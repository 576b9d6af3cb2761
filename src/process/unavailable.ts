import { types } from 'node:util';

const UNAVAILABLE_CLASSES = [
  'MongoNetworkError',
  'MongoServerSelectionError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
] as const;

/**
 * Codes for a server that is not primary, shuts down or steps down, and for a router that reaches no such server. From the
 * retryable reads specification, without its time limits.
 */
const UNAVAILABLE_CODES = new Set([
  6, 7, 91, 133, 189, 9_001, 10_058, 10_107, 11_600, 11_602, 13_435, 13_436,
]);

/** Replies about the state of the server, not about a command. */
const REDIS_STATES = /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|OOM|BUSY)\b/;
const REDIS_CONNECTION =
  /Connection is (closed|aborted|discarded)|aborted due to connection close|Stream isn't writeable|Command timed out|Socket closed|max retries per request|Cluster (isn't ready|is ended|is disconnect)|Node is disconnected|Failed to refresh slots|Too many Cluster redirections|startup nodes|All sentinels are unreachable/i;
const NODE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * True for errors that mean that a server is unavailable; they spend no attempt. A query that timed out is not one of them:
 * one bad document must not block the queue.
 */
export function isUnavailable(error: unknown): boolean {
  if (!types.isNativeError(error)) return false;
  if (isMongoError(error, 'MongoNetworkTimeoutError')) return false;
  if (UNAVAILABLE_CLASSES.some((name) => isMongoError(error, name))) return true;
  if (isMongoError(error, 'MongoServerError'))
    return UNAVAILABLE_CODES.has(Number((error as { code?: unknown }).code));
  if (error.name === 'MongooseError') return error.message.includes('initial connection');
  if ('code' in error && typeof error.code === 'string' && NODE_CODES.has(error.code)) return true;
  return REDIS_STATES.test(error.message) || REDIS_CONNECTION.test(error.message);
}

/** True if a command of Redis got no reply in time: Redis may have executed it. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.includes('timed out');
}

/**
 * Whether an error is of this class of MongoDB's driver, or of a class derived from it. It compares names: an existing
 * application brings its own version of the driver, whose classes are not those of ours.
 * @example isMongoError(error, 'MongoServerError')
 */
export function isMongoError(error: unknown, className: `Mongo${string}`): boolean {
  if (!(error instanceof Error)) return false;
  for (let prototype = parentOf(error); prototype !== null; prototype = parentOf(prototype)) {
    if (prototype.constructor.name === className) return true;
  }
  return false;
}

function parentOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null;
}
