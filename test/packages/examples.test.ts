import { type ChildProcess, execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { freePort } from '../../scripts/process/free-port.ts';
import { launchChromium } from '../harness/chromium.ts';
import { childEnv } from '../harness/child-env.ts';
import { serveTokens } from '../harness/serve-tokens.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { packPackages, type PackedPackages } from './packed-packages.ts';

const run = promisify(execFile);

let packages: PackedPackages;
let browser: Browser;
let world: World;
let company: Awaited<ReturnType<World['documents']['company']>>;
let api: { url: string };
let tokenUrl: string;
beforeAll(async () => {
  packages = await packPackages(['contracts', 'dashboard']);
  browser = await launchChromium();
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  api = await world.ready(world.api());
  world.worker();
  company = await world.documents.company();
  tokenUrl = (await serveTokens(world, company.companyId)).url;
}, 300_000);
afterAll(async () => {
  await browser.close();
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

async function open(url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  await page.goto(url);
  return { page, errors };
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

  test('its page shows changes in Chromium', async () => {
    await npm(example, ['run', 'build'], { VITE_TOKEN_URL: tokenUrl });
    const url = await preview(example);
    for (const address of paths) {
      const id = await company.appointment();
      const { page, errors } = await open(`${url}${address}`);
      await page.locator(shows(id, 'scheduled'), { hasText: 'Rex' }).waitFor();
      await page.locator('#state[data-state=live]').waitFor();
      await company.change(id, { status: 'canceled' });
      await world.emit(api, 'appointment-canceled', id);
      await page.locator(shows(id, 'canceled')).waitFor();
      const created = await company.appointment();
      await world.emit(api, 'appointment-created', created);
      await page.locator(shows(created, 'scheduled')).waitFor();
      expect(errors).toEqual([]);
      await page.close();
    }
  }, 240_000);

  test('a missing setting is a sentence in the page or in the console', async () => {
    await npm(example, ['run', 'build']);
    const { page } = await open(await preview(example));
    await page.getByText('VITE_TOKEN_URL is missing: copy .env.example to .env').waitFor();
    await page.close();
    const vite = path.join(folderOf(example), 'node_modules', 'vite', 'bin', 'vite.js');
    const server = spawn(process.execPath, [vite], { cwd: folderOf(example), env: childEnv() });
    expect(await text(server.stderr)).toContain('API_URL is missing: copy .env.example to .env');
  }, 240_000);
});
