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
