import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { throughProxy } from '../harness/tcp-proxy.ts';

/** Replies of MongoDB that are held back. */
export interface Held {
  /** Resolves when all of them are held: the reads have been executed. */
  all: Promise<void>;
  /** Delivers them. */
  release: () => void;
}

interface Hold {
  words: Buffer[];
  missing: number;
  onAll: () => void;
  connections: Set<Connection>;
}

interface Connection {
  client: Socket;
  /** Bytes from the server while they are held back. */
  held: Buffer[] | undefined;
}

/** Starts a proxy for MongoDB that can hold back replies: a read is executed, and the application gets its result later. */
export async function startHoldingProxy(uri: string) {
  const sockets = new Set<Socket>();
  let hold: Hold | undefined;

  const server = createServer((client) => {
    const connection: Connection = { client, held: undefined };
    const upstream = connect(Number(new URL(uri).port), '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
    }
    client.on('data', (bytes: Buffer) => {
      if (hold && hold.missing > 0 && hold.words.every((word) => bytes.includes(word))) {
        connection.held = [];
        hold.connections.add(connection);
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes: Buffer) => {
      if (!connection.held) {
        client.write(bytes);
        return;
      }
      connection.held.push(bytes);
      if (connection.held.length > 1 || !hold) return;
      hold.missing -= 1;
      if (hold.missing === 0) hold.onAll();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    uri: throughProxy(uri, (server.address() as AddressInfo).port),
    /**
     * Holds back the replies to the next `count` requests that contain all of these words. Later requests are answered.
     * @param words of a request, as it is sent: names in UTF-8, ids as bytes
     */
    holdReplies(count: number, ...words: Buffer[]): Held {
      const connections = new Set<Connection>();
      const all = new Promise<void>((onAll) => {
        hold = { words, missing: count, onAll, connections };
      });
      return {
        all,
        release() {
          hold = undefined;
          for (const connection of connections) {
            for (const bytes of connection.held ?? []) connection.client.write(bytes);
            connection.held = undefined;
          }
        },
      };
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
