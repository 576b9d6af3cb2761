import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { axeFindings } from '../../harness/axe.ts';
import { inEachSize, WIDTHS } from '../../harness/each-size.ts';
import { STATES } from './page-states.ts';
import { usePages } from './page-world.ts';

const { open, live } = usePages({
  now: new Date('2026-11-23T10:20:00Z'),
  context: { reducedMotion: 'reduce' },
});
/** Both schemes have the same layout, and both widths the same colours: one pair of each is enough. */
const SIZES = [
  [1440, 'light'],
  [390, 'dark'],
] as const;
const accessibleInEachSize = (page: Page, name: string, prepare?: () => Promise<void>) =>
  inEachSize(page, { name, sizes: SIZES, prepare, check: (size) => isAccessible(page, size) });

async function fits(page: Page, size: string): Promise<void> {
  const [width, wanted] = await page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]');
  expect([size, width]).toEqual([size, wanted]);
}

async function isAccessible(page: Page, size: string): Promise<void> {
  await fits(page, size);
  expect([size, await axeFindings(page)]).toEqual([size, []]);
}

describe('each state of the page fits the screen at 1440, 820, 390 and 320 px', () => {
  test.each(Object.keys(STATES))('%s', async (name) => {
    const { page } = await live({ listed: STATES[name]! });
    const sizes = WIDTHS.map((width) => [width, 'light'] as const);
    await inEachSize(page, { name, sizes, check: (size) => fits(page, size) });
  });
});

describe('axe finds nothing, in light and dark', () => {
  test('on a day with everything', async () => {
    const listed = Object.values(STATES).flat();
    const { page } = await live({ listed });
    await accessibleInEachSize(page, 'everything');
  });

  test('on an empty day', async () => {
    const { page } = await live();
    await accessibleInEachSize(page, 'empty');
  });

  test('while the page is not live', async () => {
    const { page, connection, becomes } = await live({ listed: STATES.statuses! });
    connection.sendHeartbeat(false);
    await becomes('stale');
    await accessibleInEachSize(page, 'not-live');
  });

  test('with a message and the details of an appointment', async () => {
    const { page, connection } = await live({ listed: STATES.statuses! });
    const evening = { start: '2026-11-23T21:00:00.000Z', end: '2026-11-23T22:00:00.000Z' };
    const created = { epoch: 'e', offset: 6, event: 'appointment:created' } as const;
    connection.send('new', created, { ...STATES.statuses![0], _id: 'new', ...evening });
    await page.locator('#show-announced').waitFor();
    await accessibleInEachSize(page, 'message');
    await page.locator('.card').first().click();
    await accessibleInEachSize(page, 'details');
  });

  test('with the chat', async () => {
    const { page } = await live({ listed: STATES.statuses!, hasBot: true });
    await page.locator('#chat .send').click();
    await page.locator('.said[data-by="bot"]').waitFor();
    await page.locator('.said summary').click();
    await accessibleInEachSize(page, 'chat', async () => {
      if (!(await page.locator('#chat').isVisible())) await page.locator('#chat-toggle').click();
    });
  });

  test('at the sign-in', async () => {
    const { page } = await open({ isDemo: false });
    await page.locator('#sign-in').waitFor();
    await accessibleInEachSize(page, 'sign-in');
  });

  test('without a server', async () => {
    const { page } = await open({ isDown: true });
    await page.locator('[data-kind="failed"]').waitFor();
    await accessibleInEachSize(page, 'no-server');
  });
});
