import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { AppointmentSnapshot } from '@appointment-emissions/contracts';
import type { ChatCatalogue, ChatToolReply } from '../../../demo/chat.ts';
import { launchChromium } from '../../harness/chromium.ts';
import { appointment } from '../appointment-fixture.ts';
import { startScriptedServer } from '../scripted-server.ts';
import { SOURCE_CONDITION } from '../../../scripts/source-args.mjs';

const PAGE_DIR = fileURLToPath(new URL('../../../web/calendar', import.meta.url));
const SHARED_DIR = fileURLToPath(new URL('../../../web/shared', import.meta.url));
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'";

export const STAFF = {
  maya: { _id: 'maya', fullName: 'Maya Brandt', role: 'Groomer' },
  jonas: { _id: 'jonas', fullName: 'Jonas Okafor', role: 'Groomer' },
};

const CATALOGUE: ChatCatalogue = {
  companyName: 'Demo Grooming',
  timeZone: 'UTC',
  opensAt: 540,
  closesAt: 1020,
  customers: [{ id: 'c', name: 'Alice Moreau', pets: [{ id: 'p', name: 'Biscuit', size: 'small' }] }],
  services: [{ id: 's', name: 'Full Groom', items: [] }],
  staff: [{ id: 'maya', name: 'Maya Brandt' }],
};
const BOT_REPLIES: Record<string, unknown> = {
  '/demo/chat': { botUrl: 'http://127.0.0.1:1' },
  '/demo/chat/catalogue': CATALOGUE,
  '/demo/chat/appointments': [],
  '/demo/chat/tools/book_appointment': { ok: true, message: 'Booked.', tookMs: 12 } satisfies ChatToolReply,
};

/** Query of the page's address: the day of `booked`. */
export const DAY_IN_UTC = '?date=2026-11-23&tz=UTC';

/** An appointment on 23 November 2026, with times in UTC. */
export function booked(
  id: string,
  petName: string,
  times: string,
  staff: keyof typeof STAFF,
): AppointmentSnapshot {
  const [start = '', end = ''] = times.split('-').map((time) => `2026-11-23T${time}:00.000Z`);
  return appointment({
    _id: id,
    petId: { _id: `${id}p`, name: petName, species: 'dog', breed: 'Poodle', size: null, coatType: null },
    customerId: { _id: `${id}c`, fullName: 'Alice Moreau', email: null, phone: '+1 555 0100' },
    serviceId: { _id: 's', name: 'Full Groom' },
    staffId: STAFF[staff],
    start,
    end,
  });
}

export async function bundlePage(): Promise<string> {
  const entryPoints = [join(PAGE_DIR, 'main.ts')];
  const { outputFiles } = await build({
    entryPoints,
    bundle: true,
    format: 'esm',
    conditions: [SOURCE_CONDITION],
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

export interface PageWorldOptions {
  listed?: AppointmentSnapshot[];
  isDemo?: boolean;
  /** The demo has a bot. Each of its tools succeeds. */
  hasBot?: boolean;
  /** All requests but those for the page's own files fail. */
  isDown?: boolean;
  /** The list cannot be loaded. */
  isListDown?: boolean;
  context?: BrowserContextOptions;
  /** Query of the page's address. Default: `DAY_IN_UTC`. */
  search?: string;
  /** The time of the page's clock, which stands still. */
  now?: Date;
  /** JavaScript that runs in the page before its own. */
  before?: string;
}

/** A scripted server that also serves the page's files, the list, and what the demo and its bot reply. */
export async function servePage(
  script: string,
  { listed = [], isDemo = true, hasBot = false, isDown = false, isListDown = isDown }: PageWorldOptions,
) {
  const tokens: string[] = [];
  const ranges: { from: string | null; to: string | null }[] = [];
  const server = await startScriptedServer((request, reply) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://page');
    const json = (status: number, body: unknown): void => {
      reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (pathname === '/demo/token') {
      json(isDown ? 503 : isDemo ? 200 : 404, { token: 't', companyName: 'Demo Grooming', timeZone: 'UTC' });
    } else if (pathname === '/api/v1/dashboard/appointments' && isListDown) {
      json(503, { success: false, code: 'REDIS_UNAVAILABLE' });
    } else if (pathname === '/api/v1/dashboard/appointments') {
      tokens.push(request.headers.authorization ?? '');
      ranges.push({ from: searchParams.get('from'), to: searchParams.get('to') });
      const appointments = listed.map((row) => ({ appointment: row, offset: 5, read: 1 }));
      json(200, { epoch: 'e', offset: 5, appointments });
    } else if (hasBot && pathname in BOT_REPLIES) {
      json(200, BOT_REPLIES[pathname]);
    } else {
      const file = pathname === '/' ? '/index.html' : pathname;
      const dir = file === '/base.css' ? SHARED_DIR : PAGE_DIR;
      const content = file === '/main.js' ? Promise.resolve(script) : readFile(join(dir, file));
      const headers = { 'content-type': TYPES[extname(file)] ?? '', 'content-security-policy': POLICY };
      content.then(
        (body) => reply.writeHead(200, headers).end(body),
        () => reply.writeHead(404).end(),
      );
    }
  });
  return { server, tokens, ranges };
}

/** The page in a browser, with a scripted server. It collects the errors that the browser reports. */
async function openPage(browser: Browser, script: string, options: PageWorldOptions) {
  const { context, search = DAY_IN_UTC, now, before } = options;
  const { server, tokens, ranges } = await servePage(script, options);
  const opened = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    ...context,
  });
  const page: Page = await opened.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (line) => {
    if (line.type() === 'error' && !/status of (404|503)/.test(line.text())) complaints.push(line.text());
  });
  if (now !== undefined) await page.clock.setFixedTime(now);
  if (before !== undefined) await page.addInitScript(before);
  await page.goto(`${server.url}/${search}`);

  return {
    page,
    server,
    tokens,
    ranges,
    complaints,
    card: (id: string) => page.locator(`[data-appointment-id="${id}"]`),
    becomes: (state: string) => page.locator(`#state[data-state="${state}"]`).waitFor(),
    async close(): Promise<void> {
      await opened.close();
      await server.close();
    },
  };
}

export type PageWorld = Awaited<ReturnType<typeof openPage>>;

/**
 * Starts Chromium for the tests of a file, and closes the page after each test, which fails if the browser has reported an error.
 * @param defaults  options of each page
 */
export function usePages(defaults: PageWorldOptions = {}) {
  let browser: Browser;
  let script: string;
  let opened: PageWorld;
  beforeAll(async () => {
    [browser, script] = await Promise.all([launchChromium(), bundlePage()]);
  }, 120_000);
  afterAll(() => browser.close());
  afterEach(async () => {
    await opened.close();
    expect(opened.complaints).toEqual([]);
  });

  async function open(options: PageWorldOptions = {}): Promise<PageWorld> {
    opened = await openPage(browser, script, { ...defaults, ...options });
    return opened;
  }
  return {
    open,
    /** A page that is live at offset 5 of the epoch `e`, and the server's side of its connection. */
    live: async (options?: PageWorldOptions) => {
      const world = await open(options);
      const connection = await world.server.connection();
      connection.sendPosition({ epoch: 'e', offset: 5 });
      await world.becomes('live');
      return { ...world, connection };
    },
  };
}
