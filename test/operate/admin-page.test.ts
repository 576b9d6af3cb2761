import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/services/chromium.ts';
import type { World } from '../harness/world.ts';
import { quietWorld } from './admin.ts';

let browser: Browser;
let world: World;
let complaints: string[];
beforeAll(async () => {
  browser = await chromium.launch({ ...(await findChromium()), timeout: 30_000 });
}, 120_000);
afterAll(() => browser.close());
afterEach(async () => {
  await world.close();
  // Among them: what the content security policy refused.
  expect(complaints).toEqual([]);
});

async function openAdmin(api: { url: string }, { width = 1280, language = '' } = {}): Promise<Page> {
  const context = await browser.newContext({
    locale: 'en-GB',
    viewport: { width, height: 900 },
    httpCredentials: { username: 'admin', password: 'admin-password' },
  });
  world.keep(context, () => context.close());
  if (language !== '') {
    const own = JSON.stringify({ value: language, configurable: true });
    await context.addInitScript({ content: `Object.defineProperty(navigator, 'language', ${own});` });
  }
  const page = await context.newPage();
  complaints = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(api.url)) complaints.push(`it loads ${request.url()}`);
  });
  await page.goto(`${api.url}/admin`);
  return page;
}

/** An emission that failed permanently. Its cause is removed afterwards. */
async function failedEmission(api: { url: string }) {
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const emissionId = await world.emit(api, 'appointment-created', appointmentId);
  const restore = await world.documents.giveAway();
  world.worker();
  await world.jobIn(emissionId, 'failed');
  await restore();
  return { emissionId, appointmentId, company };
}

test('the page shows the metrics and the reason of a failure, and an operator can retry it', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on', CANARY_INTERVAL_MS: '500' });
  const api = await world.api();
  const { emissionId, appointmentId, company } = await failedEmission(api);
  const dashboard = await world.dashboard(api, company.companyId);
  const page = await openAdmin(api);

  const failure = page.locator('#failures li');
  await failure.waitFor();
  expect(await failure.innerText()).toContain(
    `COMPANY_MISMATCH appointment ${appointmentId} belongs to another company`,
  );
  const tile = (label: string) => page.locator('#tiles > div', { hasText: label });
  await tile('Workers').getByText('1', { exact: true }).waitFor();
  await tile('Dashboards').getByText('of 1 company').waitFor();
  await page
    .locator('#verdict[data-state=attention]')
    .getByText('100 % of the emissions that ended in the last 5 minutes failed (1).')
    .waitFor();
  expect(await page.locator('.chart canvas').count()).toBe(3);
  expect(await page.locator('#processes').innerText()).toMatch(
    /gateway [0-9a-f]{8}[\s\S]*worker [0-9a-f]{8}/,
  );

  await failure.getByRole('button').click();
  await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  await page.locator('#no-failures').waitFor();
  await tile('Published').getByText('1', { exact: true }).first().waitFor();
});

test('the retry dialog shows the result of a dry run before the retry', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const { emissionId } = await failedEmission(api);
  const page = await openAdmin(api, { width: 390 });
  await page.locator('#failures li').waitFor();

  await page.getByRole('button', { name: 'Retry failed…' }).click();
  const dialog = page.locator('#retry-dialog');
  const run = dialog.getByRole('button', { name: 'Retry', exact: true });
  expect(await run.isDisabled()).toBe(true);
  await dialog.getByLabel('Reason').selectOption('COMPANY_MISMATCH');
  await dialog.getByRole('button', { name: 'Check' }).click();
  await dialog.getByText('1 would be retried.').waitFor();
  await world.jobIn(emissionId, 'failed');
  await run.click();
  await dialog.getByText('1 retried.').waitFor();
  await world.jobIn(emissionId, 'completed');
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
});

test('without ADMIN_WRITES the page allows dry runs only', async () => {
  world = await quietWorld();
  const api = await world.api();
  await failedEmission(api);
  const page = await openAdmin(api);
  await page.locator('#failures li').waitFor();
  await page.locator('#read-only').waitFor();
  expect(await page.locator('#failures li button').isVisible()).toBe(false);
  await page.getByRole('button', { name: 'Retry failed…' }).click();
  await page.locator('#retry-dialog').getByRole('button', { name: 'Check' }).click();
  await page.locator('#retry-dialog').getByText('1 would be retried.').waitFor();
  expect(
    await page.locator('#retry-dialog').getByRole('button', { name: 'Retry', exact: true }).isDisabled(),
  ).toBe(true);
});

test('if the API does not reply the page says that its values are out of date', async () => {
  world = await quietWorld();
  const api = await world.api();
  const page = await openAdmin(api);
  await page
    .locator('#verdict[data-state=attention]')
    .getByText('No worker has sent a heartbeat for 15 s.')
    .waitFor();
  await api.close();
  await page.locator('#verdict[data-state=unknown]').getByText('The values below are out of date.').waitFor();
  expect(await page.locator('#updated').innerText()).toMatch(/^not updated since \d/);
  complaints = complaints.filter((words) => !words.includes('ERR_CONNECTION_REFUSED'));
});

test('a paused queue is reported as a problem and on its tile until it is resumed', async () => {
  world = await quietWorld();
  const page = await openAdmin(await world.api());
  world.worker();
  await world.queue.pause();
  await page
    .locator('#verdict[data-state=attention]')
    .getByText('The live queue is paused: its jobs wait; resume it on /admin/queues')
    .waitFor();
  await page.locator('#tiles > div', { hasText: 'Live waiting' }).getByText('paused').waitFor();
  await world.queue.resume();
  await page.locator('#verdict').getByText('The live queue is paused').waitFor({ state: 'detached' });
});

test('the page works in a Chromium without a valid language', async () => {
  world = await quietWorld();
  const page = await openAdmin(await world.api(), { language: 'en-US@posix' });
  await page.locator('#tiles > div', { hasText: 'Workers' }).waitFor();
  expect(await page.locator('.chart canvas').count()).toBe(3);
});
