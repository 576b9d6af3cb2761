import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { throughProxy } from '../harness/tcp-proxy.ts';

interface Rewrites {
  /** Changes bytes that clients send, in place. */
  sent?: (bytes: Buffer) => void;
  /** Changes bytes that the server sends, in place. */
  received?: (bytes: Buffer) => void;
}

/** A way to MongoDB that changes bytes. The real server answers. */
export async function startRewritingProxy(uri: string, { sent, received }: Rewrites) {
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(uri).port), '127.0.0.1');
    sockets.push(client, upstream);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('data', (bytes: Buffer) => {
      sent?.(bytes);
      upstream.write(bytes);
    });
    client.on('end', () => upstream.end());
    upstream.on('data', (bytes: Buffer) => {
      received?.(bytes);
      client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    uri: throughProxy(uri, (server.address() as AddressInfo).port),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const STAGE = Buffer.from('$unionWith');

/** Turns the server into one without `$unionWith`: the stage arrives under a name that no server has. */
export function startProxyWithoutUnion(uri: string) {
  return startRewritingProxy(uri, {
    sent: (bytes) => {
      for (let at = bytes.indexOf(STAGE); at >= 0; at = bytes.indexOf(STAGE, at))
        bytes.write('$onionWith', at);
    },
  });
}
