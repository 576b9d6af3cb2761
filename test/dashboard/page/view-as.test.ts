import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../../harness/chromium.ts';
import { until } from '../../harness/until.ts';
import { booked, bundlePage, openPage, type PageWorld } from './page-world.ts';

let browser: Browser;
let script: string;
let world: PageWorld;
beforeAll(async () => {
  [browser, script] = await Promise.all([launchChromium(), bundlePage()]);
}, 120_000);
afterAll(() => browser.close());
afterEach(async () => {
  await world.close();
  expect(world.complaints).toEqual([]);
});

/** Opens the page of a demo with a groomer. The token that the demo signs names the view. */
async function openDemo(search: string) {
  world = await openPage({
    browser,
    script,
    listed: [booked('a', 'Biscuit', '09:00-10:00', 'jonas')],
    search,
  });
  await until('the first connection', world.server.connection());
  await world.page.route('**/demo/token*', async (route) => {
    const as = new URL(route.request().url()).searchParams.get('as');
    const json = {
      companyName: 'Demo Grooming',
      timeZone: 'UTC',
      staff: [{ id: 'j', fullName: 'Jonas Okafor' }],
    };
    if (as === null || as === 'j') await route.fulfill({ json: { ...json, token: as ?? 'manager' } });
    else await route.fulfill({ status: 404, body: '' });
  });
  await world.page.reload();
  return { tokenOfConnection: async () => (await world.server.connection()).auth.token };
}

test('another view loads the page with the token of a groomer, and back with that of the manager', async () => {
  const { tokenOfConnection } = await openDemo('?date=2026-11-23&tz=UTC');
  const choice = world.page.getByRole('combobox', { name: 'View as' });
  expect([await tokenOfConnection(), await choice.inputValue()]).toEqual(['manager', '']);
  await choice.selectOption('Jonas Okafor');
  expect(await tokenOfConnection()).toBe('j');
  await world.card('a').waitFor();
  expect([await choice.inputValue(), world.tokens.at(-1)]).toEqual(['j', 'Bearer j']);
  expect(new URL(world.page.url()).search).toBe('?date=2026-11-23&tz=UTC&as=j');
  await choice.selectOption('Manager');
  expect(await tokenOfConnection()).toBe('manager');
});

test('an unknown view in the address is that of the manager', async () => {
  const { tokenOfConnection } = await openDemo('?as=nobody');
  expect(await tokenOfConnection()).toBe('manager');
  expect(await world.page.getByRole('combobox', { name: 'View as' }).inputValue()).toBe('');
});
