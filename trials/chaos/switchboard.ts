import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** One address that stays, in front of processes that come and go. */
export interface Switchboard {
  url: string;
  /** Where new connections lead from now on, in turn. */
  lead: (...urls: string[]) => void;
  /** Ends all connections. Returns how many. */
  cut: () => number;
  /** From now on nothing passes on the connections that are open, and nobody is told. Returns how many. */
  mute: () => number;
  close: () => Promise<void>;
}

export async function createSwitchboard(): Promise<Switchboard> {
  const open = new Set<{ ends: Socket[]; muted: boolean }>();
  let targets: number[] = [];
  let turn = 0;

  const server = createServer((client) => {
    const port = targets[turn++ % targets.length];
    if (port === undefined) {
      client.destroy();
      return;
    }
    const process = connect(port, '127.0.0.1');
    const line = { ends: [client, process], muted: false };
    open.add(line);
    for (const [from, to] of [
      [client, process],
      [process, client],
    ] as const) {
      from.on('data', (bytes) => {
        if (!line.muted) to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        open.delete(line);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  function cut(): number {
    const lines = [...open];
    for (const { ends } of lines) for (const end of ends) end.destroy();
    return lines.length;
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lead(...urls) {
      targets = urls.map((url) => Number(new URL(url).port));
    },
    cut,
    mute() {
      for (const line of open) line.muted = true;
      return open.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        cut();
      }),
  };
}
