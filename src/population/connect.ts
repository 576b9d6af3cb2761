import { type Connection, createConnection, type mongo, STATES } from 'mongoose';
import { setTimeout as pause } from 'node:timers/promises';

/** Longest time one read may take on the server, in ms. */
export const READ_LIMIT_MS = 800;

const RETRY_CONNECT_MS = 500;

export interface MongoOptions {
  /** How long an operation waits for a usable server, in ms: short where an answer is owed to somebody. */
  serverSelectionMs: number;
  /** No server can be read: called again for each attempt that fails. */
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
 * Connects to MongoDB in the background; while it is away operations fail within the bounds, and work again by
 * themselves. The connection never buffers.
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
          // Here, not by `connection.set`, which does not reach the native collections: they would keep what is asked
          // of them for 10 s, return no cursor, and end the process with a rejection that nobody can catch.
          bufferCommands: false,
          sanitizeFilter: true,
          // One document with a malformed string would fail every read that includes it: the string is repaired instead.
          enableUtf8Validation: false,
        });
        const client = connection.getClient();
        // The driver goes on trying by itself; mongoose says when the primary is gone, but not why.
        client.on('serverHeartbeatFailed', ({ failure }) => {
          if (connection.readyState !== STATES.connected && !closed.signal.aborted) onError(failure);
        });
        if (await hasForgotten(client, closed.signal)) {
          onError(new Error('the server says that it is of no replica set; connecting anew'));
          await connection.close(); // by force, its collections would refuse to be used again
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
 * Resolves to true when the driver knows of no server any more, to false when `closed`. It drops whoever says that it
 * is of no replica set, as some servers do while they shut down; without any it never looks for one again.
 */
function hasForgotten(client: mongo.MongoClient, closed: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    closed.addEventListener('abort', () => {
      resolve(false);
    });
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      if (newDescription.servers.size === 0) resolve(true);
    });
  });
}
