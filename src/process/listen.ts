import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { types } from 'node:util';
import { errorMessage } from '../errors.ts';
import type { Logger } from './logger.ts';
import { createThrottledLog } from './throttled-log.ts';

export interface ListenOptions {
  port: number;
  /** By default all interfaces. */
  host?: string;
  /** The setting that an operator must change if the port is not usable. */
  setting: string;
  logger: Logger;
}

/**
 * Starts to listen, and resolves to the port. Later errors of the server, such as a connection that the operating system
 * cannot accept, are logged and do not end the process.
 * @throws Error that names the setting, if the port is not usable
 */
export function listen(server: Server, { port, host, setting, logger }: ListenOptions): Promise<number> {
  const failed = createThrottledLog(logger, 'server error', { level: 'error' });
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      reject(listenError(setting, error));
    };
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      server.on('error', (error) => {
        failed({ setting }, error);
      });
      resolve((server.address() as AddressInfo).port);
    });
  });
}

const ADVICE = new Map<unknown, string>([
  ['EADDRINUSE', 'to a free port'],
  ['EACCES', 'to a port that this user may open, from 1024 on'],
]);

function listenError(setting: string, error: unknown): Error {
  const code = types.isNativeError(error) && 'code' in error ? error.code : undefined;
  const advice = ADVICE.get(code) ?? 'to another port';
  return new Error(`${errorMessage(error)}: set ${setting} ${advice}`, { cause: error });
}
