import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** A TCP connection to Redis whose replies can be held back, and which can be cut. */
export async function createValve(target: URL) {
  const open = new Set<Socket>();
  let held: (() => void)[] | undefined;
  let refusing = false;

  const server = createServer((client) => {
    if (refusing) return client.destroy();
    const upstream = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => {
      const pass = () => client.write(bytes);
      if (held) held.push(pass);
      else pass();
    });
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cutAll = () => {
    for (const socket of open) socket.destroy();
  };

  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    holdReplies: () => {
      held = [];
    },
    releaseReplies: () => {
      const waiting = held ?? [];
      held = undefined;
      for (const pass of waiting) pass();
    },
    /** Commands that were already delivered run, but their replies are lost. */
    cut: () => {
      refusing = true;
      held = undefined;
      cutAll();
    },
    mend: () => {
      refusing = false;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        cutAll();
      }),
  };
}
