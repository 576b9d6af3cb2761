import { build } from 'esbuild';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../../harness/chromium.ts';
import { SOURCE_CONDITION } from '../../../scripts/source-args.mjs';
import { createWorld, type World } from '../../harness/world.ts';

/** A page with the given script, as a React application would serve it: its origin is not the API's. */
async function servePage(script: string) {
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'jsx' },
    bundle: true,
    format: 'esm',
    conditions: [SOURCE_CONDITION],
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"development"' },
    write: false,
  });
  const code = outputFiles[0]!.text;
  const server = createServer(({ url = '' }, reply) => {
    const isScript = url.startsWith('/page.js');
    reply.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    reply.end(
      isScript ? code : '<!doctype html><div id="root"></div><script type="module" src="/page.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A real API with a worker, and a browser with the page. */
export async function openReactWorld(script: string) {
  const [browser, page]: [Browser, Awaited<ReturnType<typeof servePage>>] = await Promise.all([
    launchChromium(),
    servePage(script),
  ]);
  const world: World = await createWorld({ env: { CORS_ORIGIN: page.url } });
  world.keep(page, page.close);
  world.keep(browser, () => browser.close());
  const api = await world.ready(world.api());
  world.worker();
  const company = await world.documents.company();
  const token = await world.token(company.companyId);

  return {
    world,
    api,
    company,
    /** Opens the page in a tab. Counts its WebSockets and collects its errors. */
    async open() {
      const tab: Page = await browser.newPage();
      const complaints: string[] = [];
      const sockets = { opened: 0, open: 0 };
      tab.on('pageerror', (error) => complaints.push(error.message));
      tab.on('console', (line) => {
        if (['error', 'warning'].includes(line.type())) complaints.push(line.text());
      });
      tab.on('websocket', (socket) => {
        sockets.opened += 1;
        sockets.open += 1;
        socket.on('close', () => (sockets.open -= 1));
      });
      await tab.addInitScript(`window.settings = ${JSON.stringify({ url: api.url, token })}`);
      await tab.goto(page.url);
      return { tab, complaints, sockets };
    },
  };
}

export type ReactWorld = Awaited<ReturnType<typeof openReactWorld>>;
