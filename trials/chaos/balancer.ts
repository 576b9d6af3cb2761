import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP load balancer: one stable address in front of processes that are started and stopped. */
export interface Balancer {
  url: string;
  /** Sets the targets of new connections, used in rotation. Without a target, connections are closed at once. */
  route: (...urls: string[]) => void;
  /** Closes all connections. Returns their number. */
  dropConnections: () => number;
  /** Drops all further data of the open connections without closing them. Returns their number. */
  silenceConnections: () => number;
  close: () => Promise<void>;
}

export async function createBalancer(): Promise<Balancer> {
  const open = new Set<{ ends: Socket[]; isSilenced: boolean }>();
  let targets: number[] = [];
  let turn = 0;

  const server = createServer((client) => {
    const port = targets[turn++ % targets.length];
    if (port === undefined) {
      client.destroy();
      return;
    }
    const process = connect(port, '127.0.0.1');
    const line = { ends: [client, process], isSilenced: false };
    open.add(line);
    for (const [from, to] of [
      [client, process],
      [process, client],
    ] as const) {
      from.on('data', (bytes) => {
        if (!line.isSilenced) to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        open.delete(line);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  function dropConnections(): number {
    const lines = [...open];
    for (const { ends } of lines) for (const end of ends) end.destroy();
    return lines.length;
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    route(...urls) {
      targets = urls.map((url) => Number(new URL(url).port));
    },
    dropConnections,
    silenceConnections() {
      for (const line of open) line.isSilenced = true;
      return open.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        dropConnections();
      }),
  };
}
