import { type Connection, createConnection, type mongo, STATES } from 'mongoose';
import { setTimeout as pause } from 'node:timers/promises';

/** Maximum time of one read on the server. */
export const READ_LIMIT_MS = 800;

const RETRY_CONNECT_MS = 500;

export interface MongoOptions {
  /** How long an operation waits for a usable server. Short if a caller waits for the reply. */
  serverSelectionMs: number;
  /** No server can be read. Called for each failed attempt. */
  onError: (error: Error) => void;
  /** A server can be read, for the first time or again. */
  onUsable?: () => void;
}

export interface MongoHandle {
  connection: Connection;
  /** Resolves when it is connected for the first time; never rejects. */
  connected: Promise<void>;
  close: () => Promise<void>;
}

/**
 * Connects to MongoDB in the background. While MongoDB is unavailable, operations fail within the time limits; afterwards
 * they work again. The connection never buffers operations.
 */
export function connectMongo(
  uri: string,
  { serverSelectionMs, onError, onUsable = () => undefined }: MongoOptions,
): MongoHandle {
  const closed = new AbortController();
  const connection = createConnection();
  connection.on('error', onError);
  connection.on('connected', onUsable);

  async function keepTrying(): Promise<void> {
    while (!closed.signal.aborted) {
      try {
        await connection.openUri(uri, {
          serverSelectionTimeoutMS: serverSelectionMs,
          connectTimeoutMS: 2_000,
          socketTimeoutMS: 5_000,
          heartbeatFrequencyMS: 1_000,
          maxPoolSize: 20,
          readPreference: 'primary',
          // `connection.set` does not reach the native collections: they would buffer operations for 10 s, return no
          // cursor, and end the process with a rejection that cannot be caught.
          bufferCommands: false,
          sanitizeFilter: true,
          // Repairs strings that are not UTF-8: one of them would fail each read that contains its document.
          enableUtf8Validation: false,
        });
        const client = connection.getClient();
        // The driver reconnects by itself. mongoose reports that the primary is gone, but not why.
        client.on('serverHeartbeatFailed', ({ failure }) => {
          if (connection.readyState !== STATES.connected && !closed.signal.aborted) onError(failure);
        });
        if (await losesAllServers(client, closed.signal)) {
          onError(new Error('the server reports that it is in no replica set; reconnecting'));
          await connection.close(); // a forced close would make its collections unusable
        }
      } catch (error) {
        onError(error as Error);
        await pause(RETRY_CONNECT_MS, undefined, { signal: closed.signal }).catch(() => undefined);
      }
    }
  }
  const connected = new Promise<void>((resolve) => {
    connection.once('connected', resolve);
  });
  const opening = keepTrying();

  return {
    connection,
    connected,
    async close() {
      closed.abort();
      await connection.close(true);
      await opening;
    },
  };
}

/**
 * Resolves to true when the driver knows no server any more, to false when `closed`. The driver drops a server that reports
 * that it is in no replica set, as some servers do while they shut down. Without a server it never searches for one again.
 */
function losesAllServers(client: mongo.MongoClient, closed: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    closed.addEventListener('abort', () => {
      resolve(false);
    });
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      if (newDescription.servers.size === 0) resolve(true);
    });
  });
}

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
