import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A reverse proxy that strips a path prefix, WebSockets included; answers 404 to every other path. */
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
    const onward = request({ hostname, port, path, method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    req.pipe(onward);
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
    /** With the prefix, without a slash at its end. */
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    close(): void {
      for (const socket of sockets) socket.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}
