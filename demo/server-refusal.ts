import { mongo } from 'mongoose';
import { isServerAway } from '../src/process/unavailable.ts';

const DUPLICATE_KEY = 11_000;
/** ExceededTimeLimit, MaxTimeMSExpired, NetworkTimeout: whether anything was written is open. */
const TIME_LIMITS = new Set([50, 89, 262]);

/** The unique index on slots kept the write from overlapping with another appointment. */
export function isTakenSlot(error: unknown): boolean {
  if (!isServerError(error) || error.code !== DUPLICATE_KEY) return false;
  const pattern: unknown = error.keyPattern;
  return typeof pattern === 'object' && pattern !== null
    ? 'slots' in pattern
    : error.message.includes('slot');
}

/**
 * For the log: why the server refused a command; undefined if it is away, too slow, or the error is not the server's. Only
 * codes: the server's message may quote the document.
 */
export function describeServerRefusal(error: unknown): string | undefined {
  if (!isServerError(error) || isServerAway(error) || error instanceof mongo.MongoWriteConcernError)
    return undefined;
  const code = Number(error.code);
  if (TIME_LIMITS.has(code)) return undefined;
  const name = error.codeName ?? (code === DUPLICATE_KEY ? 'DuplicateKey' : 'unknown');
  return `MongoDB refused it with code ${code} (${name})`;
}

function isServerError(error: unknown): error is mongo.MongoServerError {
  return error instanceof mongo.MongoServerError;
}
