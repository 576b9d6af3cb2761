import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { World } from './world.ts';

/** A route of an application that replies to each POST with a token for the company. Pages of any origin may call it. */
export async function serveTokens(world: World, companyId: string): Promise<{ url: string }> {
  const server = createServer((_request, response) => {
    void world.token(companyId).then((token) => {
      response
        .writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*' })
        .end(JSON.stringify({ token }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  world.keep(server, () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token` };
}
