import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../../harness/chromium.ts';
import { seriousFindings } from '../../harness/axe.ts';
import { STATES } from './page-states.ts';
import { bundlePage, openPage, type PageWorld, type PageWorldOptions } from './page-world.ts';

const WIDTHS = [1440, 820, 390, 320];
/** A folder for pictures of all states. Without it none are taken. */
const { SCREENSHOTS } = process.env;

let browser: Browser;
let script: string;
let world: PageWorld;
beforeAll(async () => {
  [browser, script] = await Promise.all([launchChromium(), bundlePage()]);
  if (SCREENSHOTS) mkdirSync(SCREENSHOTS, { recursive: true });
}, 120_000);
afterAll(() => browser.close());
afterEach(async () => {
  await world.close();
  expect(world.complaints).toEqual([]);
});

async function open(options: Partial<PageWorldOptions>): Promise<PageWorld> {
  world = await openPage({
    browser,
    script,
    listed: [],
    now: new Date('2026-11-23T10:20:00Z'),
    context: { reducedMotion: 'reduce' },
    ...options,
  });
  return world;
}

/** Opens the page and makes it live. */
async function live(options: Partial<PageWorldOptions>) {
  const { page } = await open(options);
  const server = await world.server.connection();
  server.sendPosition({ epoch: 'e', offset: 5 });
  await world.becomes('live');
  return { page, server };
}

type Scheme = 'light' | 'dark';

/**
 * Calls `check` at each width in each of its colour schemes, after `prepare`. For pictures, it does so at all widths in both schemes.
 */
async function inEachSize(
  name: string,
  check: (size: string) => Promise<void>,
  sizes: readonly (readonly [width: number, ...Scheme[]])[],
  prepare?: () => Promise<void>,
): Promise<void> {
  const { page } = world;
  const all = WIDTHS.map((width) => [width, 'light', 'dark'] as const);
  for (const [width, ...schemes] of SCREENSHOTS ? all : sizes) {
    await page.setViewportSize({ width, height: width < 768 ? 844 : 900 });
    await prepare?.();
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme });
      const size = `${name}-${width}-${colorScheme}`;
      if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `${size.replaceAll(' ', '-')}.png`) });
      await check(size);
    }
  }
}

/** Both schemes have the same layout, and both widths the same colours: one pair of each is enough. */
const SIZES = [
  [1440, 'light'],
  [390, 'dark'],
] as const;
const accessibleInEachSize = (name: string, prepare?: () => Promise<void>) =>
  inEachSize(name, isAccessible, SIZES, prepare);

async function fits(size: string): Promise<void> {
  const [width, wanted] = await world.page.evaluate<number[]>(
    '[document.documentElement.scrollWidth, innerWidth]',
  );
  expect([size, width]).toEqual([size, wanted]);
}

async function isAccessible(size: string): Promise<void> {
  await fits(size);
  expect([size, await seriousFindings(world.page)]).toEqual([size, []]);
}

describe('each state of the page fits the screen at 1440, 820, 390 and 320 px', () => {
  test.each(Object.keys(STATES))('%s', async (name) => {
    await live({ listed: STATES[name]! });
    await inEachSize(
      name,
      fits,
      WIDTHS.map((width) => [width, 'light']),
    );
  });
});

describe('axe finds nothing serious, in light and dark', () => {
  test('on a day with everything', async () => {
    const listed = Object.values(STATES).flat();
    await live({ listed });
    await accessibleInEachSize('everything');
  });

  test('on an empty day', async () => {
    await live({});
    await accessibleInEachSize('empty');
  });

  test('while the page is not live', async () => {
    const { server } = await live({ listed: STATES.statuses! });
    server.sendHeartbeat(false);
    await world.becomes('stale');
    await accessibleInEachSize('not-live');
  });

  test('with a message and the details of an appointment', async () => {
    const { server } = await live({ listed: STATES.statuses! });
    const evening = { start: '2026-11-23T21:00:00.000Z', end: '2026-11-23T22:00:00.000Z' };
    const created = { epoch: 'e', offset: 6, event: 'appointment:created' } as const;
    server.send('new', created, { ...STATES.statuses![0], _id: 'new', ...evening });
    await world.page.locator('#show-announced').waitFor();
    await accessibleInEachSize('message');
    await world.page.locator('.card').first().click();
    await accessibleInEachSize('details');
  });

  test('with the chat', async () => {
    const { page } = await live({ listed: STATES.statuses!, hasBot: true });
    await page.locator('#chat .send').click();
    await page.locator('.said[data-by="bot"]').waitFor();
    await page.locator('.said summary').click();
    await accessibleInEachSize('chat', async () => {
      if (!(await page.locator('#chat').isVisible())) await page.locator('#chat-toggle').click();
    });
  });

  test('at the sign-in', async () => {
    await open({ isDemo: false });
    await world.page.locator('#sign-in').waitFor();
    await accessibleInEachSize('sign-in');
  });

  test('without a server', async () => {
    await open({ isDown: true });
    await world.page.locator('[data-kind="failed"]').waitFor();
    await accessibleInEachSize('no-server');
  });
});
