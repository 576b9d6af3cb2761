import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';

export interface TcpProxy {
  port: number;
  /** Ends every connection; new ones are accepted. */
  cut: () => void;
  /** Ends every connection, and refuses new ones until `mend`. */
  refuse: () => void;
  mend: () => void;
  /** Forwards new connections to this port. */
  leadTo: (port: number) => void;
  close: () => Promise<void>;
}

/**
 * Starts a TCP proxy for a server on the loopback interface. It can interrupt connections, as a network does, and switch
 * to another server, as a stable address does when a replica takes over.
 * @param onSent  creates, for each connection, a function that receives the bytes that the client sends
 * @param tls  with it, the proxy accepts TLS and plain connections
 */
export async function startTcpProxy(
  target: number,
  onSent: () => (bytes: Buffer) => void = () => () => undefined,
  tls?: { cert: Buffer; key: Buffer },
): Promise<TcpProxy> {
  const open = new Set<Socket>();
  let refusing = false;

  const forward = (client: Socket): void => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    client.on('data', onSent());
  };
  const server = createServer(tls ? tlsOrPlain(createTlsServer(tls, forward), forward) : forward);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of open) socket.destroy();
  };

  return {
    port: (server.address() as AddressInfo).port,
    cut,
    refuse() {
      refusing = true;
      cut();
    },
    mend() {
      refusing = false;
    },
    leadTo(port) {
      target = port;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        cut();
      }),
  };
}

const TLS_HANDSHAKE = 0x16;

/** Distinguishes both by the first byte that a client sends. */
function tlsOrPlain(encrypted: TlsServer, plain: (client: Socket) => void): (client: Socket) => void {
  return (client) => {
    client.on('error', () => undefined);
    client.once('data', (first: Buffer) => {
      client.pause();
      client.unshift(first);
      if (first[0] === TLS_HANDSHAKE) encrypted.emit('connection', client);
      else plain(client);
      process.nextTick(() => client.resume());
    });
  };
}

/** The URI of a MongoDB that is reached through a proxy on this port. */
export function throughProxy(uri: string, port: number): string {
  const proxied = new URL(uri);
  proxied.port = String(port);
  // Otherwise the driver connects to the address that the server reports, and bypasses the proxy.
  proxied.searchParams.set('directConnection', 'true');
  return proxied.href;
}
