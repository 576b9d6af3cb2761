import { type Connection, STATES } from 'mongoose';
import type { MongoHandle, MongoOptions } from './connect.ts';

/** Uses the connection of an existing application, and never closes it. */
export function adoptConnection(
  connection: Connection,
  { onError, onUsable = () => undefined }: Pick<MongoOptions, 'onError' | 'onUsable'>,
): MongoHandle {
  // No listener for `error`: with one, mongoose handles a rejection that the application expects.
  const onDisconnected = (): void => {
    onError(new Error("the application's connection is not open"));
  };
  const { readyState } = connection;
  if (readyState !== STATES.connected && readyState !== STATES.connecting) onDisconnected();
  connection.on('disconnected', onDisconnected);
  connection.on('connected', onUsable);
  return {
    connection,
    connected: new Promise((resolve) => {
      if (connection.readyState === STATES.connected) resolve();
      else connection.once('connected', resolve);
    }),
    close() {
      connection.off('disconnected', onDisconnected);
      connection.off('connected', onUsable);
      return Promise.resolve();
    },
  };
}
