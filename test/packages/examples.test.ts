import { type ChildProcess, execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/process/free-port.ts';
import { type AnyBrowser, type AnyPage, availableBrowsers } from '../harness/browsers.ts';
import { childEnv } from '../harness/child-env.ts';
import { serveTokens } from '../harness/serve-tokens.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { packPackages, type PackedPackages } from './packed-packages.ts';

const run = promisify(execFile);

let packages: PackedPackages;
const browsers = await availableBrowsers();
let opened: (AnyBrowser & { name: string })[];
let world: World;
let company: Awaited<ReturnType<World['documents']['company']>>;
let api: { url: string };
let tokenUrl: string;
beforeAll(async () => {
  packages = await packPackages(['contracts', 'dashboard']);
  opened = await Promise.all(browsers.map(async ({ name, launch }) => ({ name, ...(await launch()) })));
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  api = await world.ready(world.api());
  world.worker();
  company = await world.documents.company();
  tokenUrl = (await serveTokens(world, company.companyId)).url;
}, 300_000);
afterAll(async () => {
  for (const browser of opened) await browser.close();
  await world.close();
  await packages.remove();
});

const folderOf = (example: string): string => path.join(packages.checkout, 'examples', example);

/** Runs a command of an example's README in its folder. */
const npm = (example: string, args: string[], settings: Record<string, string> = {}) =>
  run('npm', args, { cwd: folderOf(example), env: childEnv(settings) }).catch((error: unknown) => {
    const { stdout } = error as { stdout?: string };
    throw new Error(`npm ${args.join(' ')} failed: ${stdout}`, { cause: error });
  });

/** Starts the built page, as `npm run preview` does. */
async function preview(example: string): Promise<string> {
  const port = String(await freePort());
  const vite = path.join(folderOf(example), 'node_modules', 'vite', 'bin', 'vite.js');
  const server: ChildProcess = spawn(
    process.execPath,
    [vite, 'preview', '--port', port, '--strictPort', '--host', '127.0.0.1'],
    { cwd: folderOf(example), env: childEnv({ API_URL: api.url }), stdio: 'ignore' },
  );
  world.keep(server, () => server.kill());
  const url = `http://127.0.0.1:${port}`;
  await eventually('the page to be served', () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return url;
}

async function open(browser: AnyBrowser, url: string): Promise<AnyPage> {
  const page = await browser.newPage();
  await page.open(url);
  return page;
}

describe.each([
  {
    example: 'react-calendar',
    paths: ['/'],
    shows: (id: string, status: string) => `.ec-event.a${id}.status-${status}`,
  },
  {
    example: 'rtk-query',
    paths: ['/#invalidate', '/#follow'],
    shows: (id: string, status: string) => `#a${id}[data-status=${status}]`,
  },
])('the example $example', ({ example, paths, shows }) => {
  beforeAll(
    () => npm(example, ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']),
    300_000,
  );

  test(`its page shows changes in ${browsers.map(({ name }) => name).join(' and ')}`, async () => {
    await npm(example, ['run', 'build'], { VITE_TOKEN_URL: tokenUrl });
    const url = await preview(example);
    for (const browser of opened) {
      for (const address of paths) {
        const id = await company.appointment();
        const page = await open(browser, `${url}${address}`);
        await page.waitFor(shows(id, 'scheduled'), 'Rex');
        await page.waitFor('#state[data-state=live]');
        await company.change(id, { status: 'canceled' });
        await world.emit(api, 'appointment-canceled', id);
        await page.waitFor(shows(id, 'canceled'));
        const created = await company.appointment();
        await world.emit(api, 'appointment-created', created);
        await page.waitFor(shows(created, 'scheduled'));
        expect([browser.name, page.errors]).toEqual([browser.name, []]);
      }
    }
  }, 240_000);

  test('a missing setting is a sentence in the page or in the console', async () => {
    await npm(example, ['run', 'build']);
    const page = await open(opened[0]!, await preview(example));
    await page.waitFor('[role=alert]', 'VITE_TOKEN_URL is missing: copy .env.example to .env');
    const vite = path.join(folderOf(example), 'node_modules', 'vite', 'bin', 'vite.js');
    const server = spawn(process.execPath, [vite], { cwd: folderOf(example), env: childEnv() });
    expect(await text(server.stderr)).toContain('API_URL is missing: copy .env.example to .env');
  }, 240_000);
});
