import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * A way to Redis on which single connections can be frozen: those over which a certain command goes. They stay open,
 * but nothing gets through until they are thawed.
 */
export async function createFreezer(target: URL) {
  const open = new Set<Socket>();
  let frozen: RegExp | undefined;
  const held: (() => void)[] = [];

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const sent: string[] = [];
    const isFrozen = () => frozen !== undefined && sent.some((words) => frozen?.test(words));
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
    client.on('data', (bytes) => {
      sent.push(bytes.toString('latin1').slice(0, 400));
      if (sent.length > 50) sent.splice(1, 1);
      pass(isFrozen(), () => upstream.write(bytes));
    });
    upstream.on('data', (bytes) => {
      pass(isFrozen(), () => client.write(bytes));
    });
  });
  function pass(isFrozen: boolean, write: () => void): void {
    if (isFrozen) held.push(write);
    else write();
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    freeze: (command: RegExp) => {
      frozen = command;
    },
    thaw: () => {
      frozen = undefined;
      for (const write of held.splice(0)) write();
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of open) socket.destroy();
      }),
  };
}
