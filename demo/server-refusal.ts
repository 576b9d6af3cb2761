import { mongo } from 'mongoose';
import { isUnavailable } from '../src/process/unavailable.ts';

const DUPLICATE_KEY = 11_000;
/** ExceededTimeLimit, MaxTimeMSExpired, NetworkTimeout. It is unknown whether anything was written. */
const TIME_LIMITS = new Set([50, 89, 262]);

/** True if the unique index on slots rejected the write because it would overlap another appointment. */
export function isTakenSlot(error: unknown): boolean {
  if (!isServerError(error) || error.code !== DUPLICATE_KEY) return false;
  const pattern: unknown = error.keyPattern;
  return typeof pattern === 'object' && pattern !== null
    ? 'slots' in pattern
    : error.message.includes('slot');
}

/**
 * Describes for the log why MongoDB rejected a command. Returns undefined if MongoDB is unavailable or too slow, or if the error has
 * another source. The text contains codes only, because MongoDB's messages may quote the document.
 */
export function describeServerRefusal(error: unknown): string | undefined {
  if (!isServerError(error) || isUnavailable(error) || error instanceof mongo.MongoWriteConcernError)
    return undefined;
  const code = Number(error.code);
  if (TIME_LIMITS.has(code)) return undefined;
  const name = error.codeName ?? (code === DUPLICATE_KEY ? 'DuplicateKey' : 'unknown');
  return `MongoDB rejected the command with code ${code} (${name})`;
}

function isServerError(error: unknown): error is mongo.MongoServerError {
  return error instanceof mongo.MongoServerError;
}
