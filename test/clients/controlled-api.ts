import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Spawned } from '../harness/processes.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import type { World } from '../harness/world.ts';

/** Addresses for a test of another language. */
interface ControlledApi {
  /** The API. It stays the same when the process is replaced. */
  url: string;
  /** `POST <control>/<action>`: `freeze`, `thaw`, `kill`, `start`, `start-with-new-key`. */
  control: string;
}

/** Starts an API process that a test of another language can freeze, kill and start again. It ends with the world. */
export async function startControlledApi(world: World, newKey: string): Promise<ControlledApi> {
  let api: Spawned;
  const proxy = await startTcpProxy(0);
  world.keep(proxy, proxy.close);

  async function start(env: Record<string, string> = {}): Promise<void> {
    api = await world.ready(world.apiProcess(env));
    proxy.leadTo(Number(new URL(api.url).port));
  }
  const actions: Record<string, () => unknown> = {
    '/freeze': () => {
      api.kill('SIGSTOP');
    },
    '/thaw': () => {
      api.kill('SIGCONT');
    },
    '/kill': () => api.stop(),
    '/start': () => start(),
    '/start-with-new-key': () => start({ INTERNAL_SERVICE_API_KEY: newKey }),
  };
  await start();

  const server = createServer((request, response) => {
    const act = async (): Promise<void> => {
      await actions[request.url ?? '']?.();
      response.end();
    };
    act().catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  world.keep(server, () => server.close());
  const port = (server.address() as AddressInfo).port;
  return { url: `http://127.0.0.1:${proxy.port}`, control: `http://127.0.0.1:${port}` };
}
