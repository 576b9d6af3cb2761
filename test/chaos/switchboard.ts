import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** One address that stays, in front of a process that comes and goes. */
export interface Switchboard {
  url: string;
  /** Where new connections lead from now on; undefined: nowhere. */
  lead: (url: string | undefined) => void;
  /** Ends all connections. Returns how many. */
  cut: () => number;
  /** From now on nothing passes on the connections that are open, and nobody is told. Returns how many. */
  mute: () => number;
  close: () => Promise<void>;
}

export async function createSwitchboard(): Promise<Switchboard> {
  const open = new Set<{ ends: Socket[]; muted: boolean }>();
  let target: URL | undefined;

  const server = createServer((client) => {
    if (!target) {
      client.destroy();
      return;
    }
    const process = connect(Number(target.port), '127.0.0.1');
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
    lead(url) {
      target = url === undefined ? undefined : new URL(url);
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
