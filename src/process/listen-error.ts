import { types } from 'node:util';
import { errorMessage } from '../errors.ts';

const ADVICE = new Map<unknown, string>([
  ['EADDRINUSE', 'to a free port'],
  ['EACCES', 'to a port that this user may open, from 1024 on'],
]);

/** The error of a server that cannot listen. It names the setting of its port. */
export function listenError(setting: string, error: unknown): Error {
  const code = types.isNativeError(error) && 'code' in error ? error.code : undefined;
  const advice = ADVICE.get(code) ?? 'to another port';
  return new Error(`${errorMessage(error)}: set ${setting} ${advice}`, { cause: error });
}
