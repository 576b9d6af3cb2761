import { ReplyError } from 'ioredis';
import { AppError } from '../errors.ts';

/**
 * Awaits a reading that a request needs. @param without  message for the caller if it fails
 * @throws AppError QUEUE_UNAVAILABLE, with Retry-After, for any error of Redis or the connection
 */
export async function fromRedis<T>(reading: Promise<T>, without: string): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new AppError('QUEUE_UNAVAILABLE', without, { cause, retryAfterSeconds: 1 });
  }
}

/** Whether a command failed because its key has another type: another program wrote the key. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.includes('WRONGTYPE');
}

/** Resolves to `undefined` if the key has another type than the command needs. @throws other errors of Redis */
export async function ifOwnType<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (isWrongType(error)) return undefined;
    throw error;
  }
}

/** Whether Redis refused the database of REDIS_URL to a new connection. */
export function isMissingDatabase(error: unknown): boolean {
  const { command } = (error ?? {}) as { command?: { name?: string } };
  return command?.name === 'select' && error instanceof ReplyError;
}
