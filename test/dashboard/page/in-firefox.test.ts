import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type AnyBrowser, type AnyPage, firefoxLauncher } from '../../harness/browsers.ts';
import { WIDTHS } from '../../harness/each-size.ts';
import { createWorld, type World } from '../../harness/world.ts';
import { STATES } from './page-states.ts';
import { booked, bundlePage, DAY_IN_UTC, servePage, type PageWorldOptions } from './page-world.ts';

const launch = await firefoxLauncher();

(launch ? describe : describe.skip)('in Firefox', () => {
  let browser: AnyBrowser;
  let script: string;
  let page: AnyPage;
  const closing: (() => unknown)[] = [];
  beforeAll(async () => {
    [browser, script] = await Promise.all([launch!(), bundlePage()]);
  }, 120_000);
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    expect(page.errors).toEqual([]);
  });

  /** The calendar, live at offset 5, and the server's side of its connection. */
  async function live(options: PageWorldOptions) {
    const { server } = await servePage(script, options);
    closing.push(() => server.close());
    await page.open(`${server.url}/${DAY_IN_UTC}`);
    const connection = await server.connection();
    connection.sendPosition({ epoch: 'e', offset: 5 });
    await page.waitFor('#state[data-state="live"]');
    return connection;
  }

  async function fits(name: string): Promise<void> {
    for (const width of WIDTHS) {
      await page.resize(width, 844);
      // Firefox has a scrollbar beside the page.
      const overflow = await page.evaluate(
        '(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.documentElement)',
      );
      expect([name, width, overflow]).toEqual([name, width, 0]);
    }
  }

  test('the calendar shows events and details, and the first message of the chat works', async () => {
    page = await browser.newPage();
    await page.resize(1440, 900);
    const connection = await live({ listed: [booked('a', 'Biscuit', '09:00-10:00', 'maya')], hasBot: true });
    const miso = booked('d', 'Miso', '13:00-14:00', 'jonas');
    connection.send('d', { epoch: 'e', offset: 6, event: 'appointment:created' }, miso);
    await page.waitFor('[data-appointment-id="d"]', 'Miso');
    connection.send('d', { epoch: 'e', offset: 7 }, { ...miso, status: 'checked_in' });
    await page.waitFor('[data-appointment-id="d"][data-status="checked_in"]');
    await page.click('[data-appointment-id="a"]');
    await page.waitFor('dialog[open] h2', 'Biscuit');
    await page.click('dialog[open] button');
    await page.click('#chat .send');
    await page.waitFor('.said[data-by="bot"]', 'Booked.');
  });

  test('each state of the calendar fits the screen at 1440, 820, 390 and 320 px', async () => {
    page = await browser.newPage();
    for (const [name, listed] of Object.entries(STATES)) {
      await live({ listed });
      await fits(name);
    }
  });

  test('the operator’s page shows metrics and runs a dry run', async () => {
    const world: World = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
    closing.push(() => world.close());
    const api = await world.ready(world.api());
    world.worker();
    page = await browser.newPage({ username: 'admin', password: 'admin-password' });
    await page.open(`${api.url}/admin`);
    await page.waitFor('#verdict:not([data-state="unknown"])');
    await page.waitFor('#tiles > div', 'Workers');
    await page.waitFor('.chart canvas');
    await page.click('#open-retry');
    await page.click('#retry-dialog button[name=check]');
    await page.waitFor('#retry-dialog output', '0 would be retried.');
    await page.click('#retry-dialog button[name=close]');
    await fits('admin');
  });
});
