import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { freePort } from './process/free-port.ts';
import { findChromium } from './services/chromium.ts';

/** Settings that would replace the demo's own servers and secrets. */
const CLEARED = [
  'REDIS_URL',
  'MONGODB_URI',
  'INTERNAL_SERVICE_API_KEY',
  'SOCKET_JWT_SECRET',
  'SOCKET_JWKS_URL',
  'ADMIN_PASSWORD',
];
const STOP_WITHIN_MS = 20_000;

export interface Demo {
  /** Address of the dashboard and of the API. */
  base: string;
  /** The internal API's key. */
  key: string;
  /** An appointment of the demo company. */
  appointmentId: string;
  /** Its `START_DIR`. */
  dir: string;
  /** Ends the demo and removes its data. */
  stop: () => Promise<void>;
}

interface StartDemoOptions {
  signal: AbortSignal;
  /** Additions to the environment. */
  env: Record<string, string>;
}

/** Runs `npm start` as a user would, with its own servers, data and secrets. Resolves when everything runs. */
export async function startDemo({ signal, env }: StartDemoOptions): Promise<Demo> {
  // npm start ends with this process.
  signal.addEventListener('abort', () => process.exit(1));
  const dir = join(RUNTIME_DIR, `demo-${process.pid}`);
  const port = await freePort();
  // Empty, not missing: a .env file sets what is missing.
  const cleared = Object.fromEntries(CLEARED.map((name) => [name, '']));
  const start = execa(process.execPath, [join(PROJECT_DIR, 'scripts', 'run.mjs'), 'start'], {
    cwd: PROJECT_DIR,
    env: { ...env, ...cleared, PORT: String(port), START_DIR: dir },
    stdin: 'ignore',
    stderr: 'inherit',
    reject: false,
    forceKillAfterDelay: STOP_WITHIN_MS,
  });
  let printed = '';
  const facts = await new Promise<Pick<Demo, 'key' | 'appointmentId'>>((resolve, reject) => {
    start.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
      const key = /x-api-key: (\w+)/.exec(printed)?.[1];
      const appointmentId = /"appointmentId":"(\w{24})"/.exec(printed)?.[1];
      if (key !== undefined && appointmentId !== undefined) resolve({ key, appointmentId });
    });
    start.once('exit', () => {
      reject(new Error(`npm start ended before everything ran:\n${printed}`));
    });
  });
  console.log(`npm start runs on port ${port}`);
  return {
    base: `http://localhost:${port}`,
    dir,
    ...facts,
    async stop() {
      start.kill();
      await start;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The window of pictures of the demo. */
export const pictureContext = (timezoneId: string): BrowserContextOptions => ({
  viewport: { width: 1280, height: 800 },
  locale: 'en-GB',
  timezoneId,
  reducedMotion: 'reduce',
});

/** Opens the dashboard in headless Chromium. Resolves when the page is live. */
export async function openDashboardPage(
  url: string,
  context: BrowserContextOptions = {},
): Promise<{ page: Page; close: Browser['close'] }> {
  const browser = await chromium.launch({ ...(await findChromium({ log: console.log })), timeout: 30_000 });
  const page = await (await browser.newContext(context)).newPage();
  await page.goto(url);
  await page.locator('#state[data-state="live"]').waitFor();
  console.log(`the page is live in Chromium ${browser.version()}`);
  return { page, close: () => browser.close() };
}
