import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../harness/chromium.ts';
import { axeFindings } from '../harness/axe.ts';
import { inEachSize } from '../harness/each-size.ts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { failedEmission, quietWorld } from './admin.ts';

let browser: Browser;
let world: World;
let complaints: string[];
beforeAll(async () => {
  browser = await launchChromium();
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
  await page.addInitScript({ content: RECORD_CANVAS_TEXTS });
  await page.goto(`${api.url}/admin`);
  return page;
}

/** The texts that are drawn on a canvas, such as those of a chart's axes. */
const RECORD_CANVAS_TEXTS = `
  window.canvasTexts = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    window.canvasTexts.push(String(text));
    return fillText.call(this, text, ...rest);
  };
`;

test('the page shows the metrics and the reason of a failure, and an operator can retry it', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on', CANARY_INTERVAL_MS: '500' });
  const api = await world.api();
  const { emissionId, appointmentId, company } = await failedEmission(world, api);
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
  await failure.getByText('announced by a call').waitFor();
  await page
    .locator('#verdict[data-state=attention]')
    .getByText('100 % of the live emissions that ended in the last 5 minutes failed (1).')
    .waitFor();
  expect(await page.locator('.chart canvas').count()).toBe(4);
  expect(await page.locator('#processes').innerText()).toMatch(
    /gateway [0-9a-f]{8}[\s\S]*worker [0-9a-f]{8}/,
  );

  await failure.getByRole('button').click();
  await dashboard.receive(({ meta }) => meta.emissionId === emissionId);
  await page.locator('#no-failures').waitFor();
  await tile('Live published').getByText('1', { exact: true }).first().waitFor();
});

test('the retry dialog shows the result of a dry run before the retry', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const { emissionId } = await failedEmission(world, api);
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
  await failedEmission(world, api);
  const page = await openAdmin(api);
  await page.locator('#failures li').waitFor();
  await page.locator('#read-only').waitFor();
  const retry = page.locator('#failures li button');
  expect([await retry.isDisabled(), await retry.getAttribute('title')]).toEqual([
    true,
    'Your role is view: a retry needs the role repair.',
  ]);
  expect(await page.locator('#updated').innerText()).toContain('admin (view)');
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
  expect(await page.locator('.chart canvas').count()).toBe(4);
});

test('bulk emissions are apart from live ones, and those that the sweep found are explained', async () => {
  world = await quietWorld({ RECONCILE_INTERVAL_MS: '500' });
  const api = await world.api();
  const company = await world.documents.company();
  const [live, batched] = [await company.appointment(), await company.appointment()];
  world.worker();
  await world.emit(api, 'appointment-created', live);
  const batch = { emissions: [{ event: 'appointment:updated', appointmentId: batched }] };
  expect((await world.post(api, 'batch', batch)).status).toBe(202);
  // Saved without a call, longer ago than the grace of the sweep.
  await company.appointment({ updatedAt: new Date(Date.now() - 60_000) });
  const page = await openAdmin(api);
  const shows = (table: string, row: string) =>
    eventually(`${table} to show ${row}`, async () => {
      const rows = await page.locator(`#${table} tbody tr`).allInnerTexts();
      return rows.map((text) => text.replaceAll(/\s+/g, ' ')).includes(row);
    });

  await shows('live-events', 'created 1 1 0 0 0 %');
  await shows('bulk-events', 'updated 1 1 0 0 0 %');
  await shows('live-events', 'updated 0 0 0 0 –');
  await shows('sources', 'sweep 1 found in MongoDB by the sweep');
  await shows('sources', 'call 2 announced by a call, or by a repair');
  await page.getByText('a program writes appointments without a call').waitFor();
  await page
    .locator('#tiles > div', { hasText: 'Found by sweep or capture' })
    .getByText('no call announced them')
    .waitFor();
});

test('the axes of the charts have whole numbers only, and figures of a row have equal heights', async () => {
  world = await quietWorld();
  const api = await world.api();
  world.worker();
  const company = await world.documents.company();
  await world.jobIn(await world.emit(api, 'appointment-created', await company.appointment()), 'completed');
  const page = await openAdmin(api, { width: 1440 });
  await page.locator('#tiles > div', { hasText: 'Workers' }).waitFor();
  const texts = await page.evaluate<string[]>('window.canvasTexts');
  expect(texts).toContain('1');
  expect(texts.filter((text) => !/^(\d{1,3}(,\d{3})*|\d\d:\d\d(:\d\d)?)$/.test(text))).toEqual([]);
  // The chart of waiting jobs begins with one value: it covers a minute, not days from midnight to midnight.
  const isNearMidnight = [23, 0].includes(new Date().getHours());
  expect(isNearMidnight ? [] : texts).not.toContain('00:00');
  for (const row of ['figure', '#tiles > div:nth-child(-n + 6)']) {
    const boxes = await Promise.all((await page.locator(row).all()).map((one) => one.boundingBox()));
    expect(new Set(boxes.map((box) => `${box?.y} ${box?.height}`)).size).toBe(1);
  }
});

test('a company to re-emit is chosen from a list, which a typed beginning narrows', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  world.worker();
  const first = await world.documents.company();
  const second = await world.documents.company();
  await first.appointment();
  await second.appointment();
  const page = await openAdmin(api);
  await page.getByRole('button', { name: 'Re-emit…' }).click();
  const dialog = page.locator('#re-emit-dialog');
  await dialog.getByText('2 companies to choose from.').waitFor();
  const offered = () =>
    page.evaluate<string[]>(`[...document.querySelectorAll('#companies option')].map(({ value }) => value)`);
  expect(await offered()).toEqual([first.companyId, second.companyId].sort());

  await dialog.getByLabel('Id').fill(second.companyId);
  await dialog.getByText('1 company to choose from.').waitFor();
  expect(await offered()).toEqual([second.companyId]);
  await dialog.getByRole('button', { name: 'Check' }).click();
  await dialog.getByText('1 would be emitted again.').waitFor();
  await dialog.getByRole('button', { name: 'Re-emit', exact: true }).click();
  await dialog.getByText('1 emitted again.').waitFor();

  await dialog.getByLabel('Id').fill('f'.repeat(24));
  await dialog.getByText('No company has this id and an appointment.').waitFor();
  await dialog.getByLabel('Id').fill('xyz');
  await dialog.getByText('An id has the digits 0 to 9 and a to f only.').waitFor();
  await dialog.getByLabel('For').selectOption('Appointment');
  await eventually('no companies to be offered', async () => (await offered()).length === 0);
});

test('dashboards of a company are disconnected after a dry run and a confirmation', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  const [company, other] = [await world.documents.company(), await world.documents.company()];
  await company.appointment();
  const open = async (sub: string, { companyId } = company) =>
    world.dashboard(api, companyId, { token: await world.token(companyId, '5m', { sub }) });
  const [ann, ben, away] = [await open('ann'), await open('ben'), await open('ann', other)];
  const page = await openAdmin(api);
  await page.getByRole('button', { name: 'Disconnect…' }).click();
  const dialog = page.locator('#disconnect-dialog');
  const [run, confirmation] = [
    dialog.getByRole('button', { name: 'Disconnect', exact: true }),
    dialog.getByRole('checkbox', { name: 'Disconnect them now' }),
  ];
  await dialog.getByText('1 company to choose from.').waitFor();
  await dialog.getByLabel('Company').fill(company.companyId);
  await dialog.getByLabel('User id').fill('ann');
  expect([await run.isDisabled(), await confirmation.isDisabled()]).toEqual([true, true]);
  await dialog.getByLabel('User id').press('Enter');
  await dialog.getByText('1 dashboard would be disconnected.').waitFor();
  expect([await run.isDisabled(), ann.socket.connected]).toEqual([true, true]);
  await confirmation.check();
  await run.click();
  await dialog.getByText('1 dashboard was disconnected.').waitFor();
  await eventually('the end of the connection', () => !ann.socket.connected);
  expect([ben.socket.connected, away.socket.connected, await run.isDisabled()]).toEqual([true, true, true]);

  // Another request needs another dry run and another confirmation.
  await dialog.getByRole('button', { name: 'Check' }).click();
  await dialog.getByText('No such dashboard is connected.').waitFor();
  expect([await run.isDisabled(), await confirmation.isDisabled()]).toEqual([true, true]);
  await dialog.getByLabel('User id').fill('');
  await dialog.getByRole('button', { name: 'Check' }).click();
  await dialog.getByText('1 dashboard would be disconnected.').waitFor();
  expect([await run.isDisabled(), await confirmation.isChecked()]).toEqual([true, false]);
  await dialog.getByRole('button', { name: 'Close' }).click();
  expect(await dialog.isVisible()).toBe(false);
});

test('axe finds nothing on the page, in its dialogs and on an error page, light and dark', async () => {
  world = await quietWorld({ ADMIN_WRITES: 'on' });
  const api = await world.api();
  await failedEmission(world, api);
  const page = await openAdmin(api);
  await page.locator('#failures li').waitFor();
  const openers = ['Retry failed…', 'Re-emit…', 'Disconnect…'].map((name) =>
    page.getByRole('button', { name }),
  );

  const check = async (size: string) => {
    expect([size, await axeFindings(page)]).toEqual([size, []]);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect([size, overflow]).toEqual([size, 0]);
  };
  const sizes = [
    [1280, 'light', 'dark'],
    [390, 'light', 'dark'],
  ] as const;
  await inEachSize(page, { name: 'admin', sizes, check });
  for (const opener of openers) {
    await opener.click();
    const name = `admin ${(await page.locator('dialog[open] h2').innerText()).toLowerCase()}`;
    await inEachSize(page, { name, sizes, check });
    await page.locator('dialog[open]').getByRole('button', { name: 'Close' }).click();
  }
  await page.goto(`${api.url}/nope`);
  await inEachSize(page, { name: 'error page', sizes, check });
  complaints = complaints.filter((words) => !words.includes('404'));
});
