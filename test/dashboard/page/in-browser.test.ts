import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { chromium, type Browser } from 'playwright-core';
import { findChromium } from '../../../scripts/services/chromium.mjs';
import { booked, bundlePage, openPage, STAFF, type PageWorld, type PageWorldOptions } from './page-world.ts';

const E = 'e';
const biscuit = booked('a', 'Biscuit', '09:00-10:00', 'maya');
const rex = booked('b', 'Rex', '10:00-11:30', 'maya');
const coco = booked('c', 'Coco', '09:30-10:00', 'jonas');

let browser: Browser;
let script: string;
let world: PageWorld;
beforeAll(async () => {
  [browser, script] = await Promise.all([
    findChromium().then((found) => chromium.launch({ ...found, timeout: 30_000 })),
    bundlePage(),
  ]);
}, 120_000);
afterAll(() => browser.close());
afterEach(async () => {
  await world.close();
  expect(world.complaints).toEqual([]);
});

/** A page that is live, and the server's side of its connection. */
async function live(options: Partial<PageWorldOptions> = {}) {
  world = await openPage({ browser, script, listed: [biscuit, rex, coco], ...options });
  const server = await world.server.connection();
  server.place({ epoch: E, offset: 5 });
  await world.becomes('live');
  return { ...world, connection: server };
}

test('shows the day with all that a card says, columns by staff', async () => {
  const { page, card } = await live();
  const text = await card('a').innerText();
  for (const part of [
    '09:00 – 10:00',
    'Biscuit',
    'dog · Poodle',
    'Full Groom',
    'Alice Moreau',
    'Maya Brandt',
  ]) {
    expect(text).toContain(part);
  }
  expect(await page.locator('#heading').innerText()).toBe('Monday, 23 November 2026');
  expect(await page.locator('#summary').innerText()).toBe('3 appointments');
  expect(await page.locator('.head strong').allInnerTexts()).toEqual(['Jonas Okafor', 'Maya Brandt']);
  const [mayas, jonas] = [await card('a').boundingBox(), await card('c').boundingBox()];
  expect(mayas!.x).toBeGreaterThan(jonas!.x + jonas!.width - 1);
});

test('a booked, a moved and a canceled appointment change on the screen, and are told', async () => {
  const { page, card, connection } = await live({ context: { reducedMotion: 'reduce' } });
  await page.evaluate(
    'addEventListener("emission-shown", (e) => (window.shown ??= []).push(e.detail.emissionId))',
  );
  const said = page.locator('#announcement');

  connection.send(
    'd',
    { epoch: E, offset: 6, event: 'appointment:created' },
    booked('d', 'Miso', '13:00-14:00', 'jonas'),
  );
  await card('d').waitFor();
  expect(await said.innerText()).toBe('Booked: Miso, Full Groom, Mon 23 Nov, 13:00 with Jonas Okafor');

  const before = await card('a').boundingBox();
  connection.send('a', { epoch: E, offset: 7 }, { ...booked('a', 'Biscuit', '15:00-16:00', 'jonas') });
  await page.locator('[data-appointment-id="a"][data-offset="7"]').waitFor();
  const after = await card('a').boundingBox();
  expect([after!.x < before!.x, after!.y > before!.y]).toEqual([true, true]);

  connection.send(
    'b',
    { epoch: E, offset: 8, event: 'appointment:canceled' },
    { ...rex, status: 'canceled' },
  );
  await page.locator('[data-appointment-id="b"][data-status="canceled"]').waitFor();
  const decoration = `getComputedStyle(document.querySelector('[data-appointment-id="b"] .pet')).textDecorationLine`;
  expect(await page.evaluate(decoration)).toBe('line-through');
  expect(await page.locator('#summary').innerText()).toBe('3 appointments, 1 canceled');

  connection.send(
    'c',
    { epoch: E, offset: 9 },
    { ...coco, start: '2026-11-24T09:30:00.000Z', end: '2026-11-24T10:00:00.000Z' },
  );
  await card('c').waitFor({ state: 'detached' });
  expect(await said.innerText()).toBe('Moved: Coco to Tue 24 Nov, 09:30 with Jonas Okafor');
  await page.locator('#next').click();
  await card('c').waitFor();
  expect(await page.evaluate('window.shown')).toEqual(['e-6-0', 'e-7-0', 'e-8-0', 'e-9-0']);
  expect(await page.evaluate('document.documentElement.dataset.lastEmission')).toBe('e-9-0');
});

test('says when it is not live, and catches up on what it missed', async () => {
  const { becomes, card, connection, server } = await live();
  connection.cut();
  await becomes('connecting');
  const again = await server.connection();
  expect(again.auth.position).toEqual({ epoch: E, offset: 5 });
  await becomes('catching-up');
  again.send('d', { epoch: E, offset: 6, read: 1 }, booked('d', 'Miso', '13:00-14:00', 'jonas'));
  again.place({ epoch: E, offset: 6 });
  await becomes('live');
  await card('d').waitFor();
});

test('can be used by keyboard alone', async () => {
  const { page, connection } = await live();
  const focused = () => page.evaluate('document.activeElement.dataset.appointmentId');
  await page.locator('#date').focus();
  while ((await focused()) === undefined) await page.keyboard.press('Tab');
  expect(await focused()).toBe('a');
  await page.keyboard.press('ArrowDown');
  expect(await focused()).toBe('b');
  await page.keyboard.press('ArrowLeft');
  expect(await focused()).toBe('c');
  connection.send('c', { epoch: E, offset: 6 }, { ...coco, staffId: STAFF.maya });
  await page.locator('[data-appointment-id="c"][data-offset="6"]').waitFor();
  expect(await focused()).toBe('c');

  await page.keyboard.press('Enter');
  await page.locator('dialog[open] h2', { hasText: 'Coco' }).waitFor();
  expect(await page.locator('dialog').innerText()).toContain('+1 555 0100');
  await page.keyboard.press('Escape');
  expect(await focused()).toBe('c');

  await page.keyboard.press('n');
  expect(await page.locator('#heading').innerText()).toBe('Tuesday, 24 November 2026');
  await page.keyboard.press('p');
  expect(await page.locator('#heading').innerText()).toBe('Monday, 23 November 2026');
});

test('is a list by time on a phone, and fits it', async () => {
  const { page } = await live({ context: { viewport: { width: 390, height: 844 } } });
  expect(await page.locator('#cards .at').allInnerTexts()).toEqual(['09:00', '09:30', '10:00']);
  expect(await page.locator('#heads').isVisible()).toBe(false);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
});

test('asks for a token where the server has none to give, and keeps it in the tab', async () => {
  world = await openPage({ browser, script, listed: [biscuit], isDemo: false });
  const { page, server, tokens } = world;
  expect(await page.locator('#chat').isVisible()).toBe(false);
  await page.locator('#token').fill('my-token');
  await page.keyboard.press('Enter');
  expect((await server.connection()).auth.token).toBe('my-token');
  await page.locator('#sign-in').waitFor({ state: 'hidden' });
  await page.reload();
  expect((await server.connection()).auth.token).toBe('my-token');
  expect(tokens).toEqual(['Bearer my-token', 'Bearer my-token']);
});
