import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addDashboardLibrary } from '../../scripts/example.ts';
import { freePort } from '../../scripts/process/free-port.ts';
import { availableBrowsers } from '../harness/browsers.ts';
import { childEnv } from '../harness/child-env.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { serveTokens } from '../harness/serve-tokens.ts';
import { eventually, until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';

const STATE = `document.getElementById('state').textContent`;
const EXAMPLE = fileURLToPath(new URL('../../examples/plain-javascript', import.meta.url));

let world: World;
let folder: string;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  folder = await mkdtemp(path.join(tmpdir(), 'plain-javascript-'));
  await cp(EXAMPLE, folder, { recursive: true, filter: (file) => !file.includes('node_modules') });
  await addDashboardLibrary(folder);
}, 120_000);
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

const startServer = (settings: Record<string, string>) =>
  spawn(process.execPath, ['server.js'], { cwd: folder, env: childEnv(settings) });

const browsers = await availableBrowsers();

test.each(browsers)(
  'the example shows changes in $name, also those during a lost connection',
  async ({ launch }) => {
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const api = await world.ready(world.api({ CORS_ORIGIN: origin }));
    world.worker();
    const company = await world.documents.company();
    const id = await company.appointment();
    const tokens = await serveTokens(world, company.companyId);
    const proxy = await startTcpProxy(Number(new URL(api.url).port));
    world.keep(proxy, proxy.close);
    const server = startServer({
      PORT: String(port),
      API_URL: `http://127.0.0.1:${proxy.port}`,
      TOKEN_URL: tokens.url,
    });
    world.keep(server, () => server.kill());
    const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
    expect(await until('the example to listen', lines.next())).toMatchObject({
      value: `listening on ${origin}`,
    });

    const browser = await launch();
    world.keep(browser, browser.close);
    const page = await browser.newPage();
    await page.open(origin);
    await page.waitFor(`#a${id}[data-status=scheduled]`, 'Rex · Ann Bauer');
    const isLive = () => eventually('the text Live', async () => (await page.evaluate(STATE)) === 'Live');
    await isLive();

    await company.change(id, { status: 'canceled' });
    await world.emit(api, 'appointment-canceled', id);
    await page.waitFor(`#a${id}[data-status=canceled]`);

    proxy.refuse();
    await page.waitFor('#state', 'Not live since');
    const missed = await company.appointment();
    await world.jobIn(await world.emit(api, 'appointment-created', missed), 'completed');
    proxy.mend();
    await page.waitFor(`#a${missed}[data-status=scheduled]`);
    await isLive();
    expect(page.errors).toEqual([]);
  },
  60_000,
);

test('the server of the example names every missing setting', async () => {
  const server = startServer({ TOKEN_URL: 'localhost' });
  const [errors, [code]] = await Promise.all([text(server.stderr), once(server, 'exit')]);
  expect([code, errors.trim().split('\n')]).toEqual([
    1,
    [
      'API_URL is missing or not an address: set it to the address of the API, such as http://localhost:3001.',
      'TOKEN_URL is missing or not an address: set it to a route that replies with a token, such as http://localhost:3001/demo/token.',
    ],
  ]);
});
