import { AppError } from '../errors.ts';

/**
 * What Redis is asked for a request. @param without  what the caller is told while it does not answer
 * @throws AppError QUEUE_UNAVAILABLE, with Retry-After, whatever Redis or the connection says
 */
export async function fromRedis<T>(asking: Promise<T>, without: string): Promise<T> {
  try {
    return await asking;
  } catch (cause) {
    throw new AppError('QUEUE_UNAVAILABLE', without, { cause, retryAfterSeconds: 1 });
  }
}
