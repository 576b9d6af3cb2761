import { AppError } from '../errors.ts';

/** What a client is told whose handshake is refused: words, and the code under `data`. */
export function refusal(error: unknown): Error {
  if (!(error instanceof AppError)) return new Error('the token could not be checked');
  return Object.assign(new Error(error.message), { data: { code: error.code } });
}
