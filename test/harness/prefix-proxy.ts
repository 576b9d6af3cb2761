import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** Starts a reverse proxy that strips a path prefix, also of WebSockets. It answers 404 to every other path. */
export async function startPrefixProxy(target: string, prefix: string) {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const stripped = ({ url = '' }: IncomingMessage): string | undefined =>
    url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : undefined;

  const server = createServer((req, res) => {
    const path = stripped(req);
    if (path === undefined) {
      res.writeHead(404).end();
      return;
    }
    const { method, headers } = req;
    const forwarded = request({ hostname, port, path, method, headers }, (reply) => {
      res.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(res);
    });
    forwarded.on('error', () => res.destroy());
    req.pipe(forwarded);
  });
  server.on('upgrade', (req: IncomingMessage, client: Socket, head: Buffer) => {
    const path = stripped(req);
    if (path === undefined) {
      client.destroy();
      return;
    }
    const upstream = connect({ host: hostname, port: Number(port) });
    const lines = req.rawHeaders.flatMap((name, at, all) => (at % 2 === 0 ? `${name}: ${all[at + 1]!}` : []));
    upstream.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    upstream.write(head);
    upstream.pipe(client).pipe(upstream);
    for (const socket of [upstream, client]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        upstream.destroy();
        client.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    /** With the prefix, without a trailing slash. */
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    close(): void {
      for (const socket of sockets) socket.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}
