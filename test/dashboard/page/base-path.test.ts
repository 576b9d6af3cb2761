import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../../harness/chromium.ts';
import { connectDashboard, fetchAppointments } from '@appointment-emissions/dashboard';
import { startPrefixProxy } from '../../harness/prefix-proxy.ts';
import { eventually } from '../../harness/until.ts';
import { API_KEY, createWorld, type World } from '../../harness/world.ts';

const PREFIX = '/groomers/calendar';
const authorization = `Basic ${btoa('admin:admin-password')}`;

let browser: Browser;
let world: World;
let companyId: string;
let appointmentId: string;
let proxied: string;
let direct: string;
beforeAll(async () => {
  [browser, world] = await Promise.all([launchChromium(), createWorld({ env: { BASE_PATH: `${PREFIX}/` } })]);
  const company = await world.documents.company();
  companyId = company.companyId;
  appointmentId = await company.appointment();
  const api = await world.ready(world.api());
  direct = api.url;
  const proxy = await startPrefixProxy(api.url, PREFIX);
  world.keep(proxy, () => {
    proxy.close();
  });
  proxied = proxy.url;
  world.worker();
}, 120_000);
afterAll(async () => {
  await browser.close();
  await world.close();
});

/** Opens a page through the proxy; collects the requests that failed. */
async function open(path: string): Promise<{ page: Page; failed: string[]; close: () => Promise<void> }> {
  const context = await browser.newContext({
    httpCredentials: { username: 'admin', password: 'admin-password' },
    viewport: { width: 1280, height: 800 },
  });
  const page = await context.newPage();
  const failed: string[] = [];
  page.on('pageerror', (error) => failed.push(error.message));
  page.on('requestfailed', (request) =>
    failed.push(`${request.url()} ${request.failure()?.errorText ?? ''}`),
  );
  page.on('response', (response) => {
    if (response.status() >= 400 && response.status() !== 401)
      failed.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(`${proxied}${path}`);
  return { page, failed, close: () => context.close() };
}

test('the dashboard becomes live behind a proxy that strips a prefix', async () => {
  const { page, failed, close } = await open('/');
  await page.locator('#token').fill(await world.token(companyId));
  await page.locator('#sign-in button').click();
  await page.locator('#state[data-state="live"]').waitFor();
  await world.emit({ url: proxied }, 'appointment-updated', appointmentId);
  await page.locator(`[data-appointment-id="${appointmentId}"]`).waitFor({ state: 'attached' });
  // Outside of demo mode this route does not exist.
  expect(failed).toEqual([`404 ${proxied}/demo/token`]);
  await close();
}, 60_000);

test.each(['/admin', '/admin/', '/admin/index.html'])(
  'the operator’s page at %s shows its figures',
  async (path) => {
    const { page, failed, close } = await open(path);
    await page.locator('#verdict:not([data-state="unknown"])').waitFor();
    expect(failed).toEqual([]);
    const links = await Promise.all(
      (await page.locator('nav a').all()).map((link) => link.getAttribute('href')),
    );
    expect(links).toEqual([`${PREFIX}/admin/queues`, `${PREFIX}/docs`, `${PREFIX}/`]);
    await close();
  },
  60_000,
);

test('Bull Board lists the queues', async () => {
  const { page, failed, close } = await open('/admin/queues');
  await page.locator('text=appointment-emissions').first().waitFor();
  // Its web fonts are blocked everywhere: the policy allows nothing from elsewhere.
  expect(failed.filter((line) => !line.includes('csp'))).toEqual([]);
  await close();
}, 60_000);

test('the OpenAPI document names the base path', async () => {
  const openApi = (await (await fetch(`${proxied}/openapi.json`)).json()) as { servers: unknown };
  expect(openApi.servers).toEqual([{ url: PREFIX }]);
});

test('a statusUrl works through the proxy and directly', async () => {
  const reply = await world.post({ url: proxied }, 'appointment-updated', { appointmentId });
  const { statusUrl } = (await reply.json()) as { statusUrl: string };
  expect(statusUrl).toMatch(new RegExp(`^${PREFIX}/api/v1/`));
  for (const base of [proxied, direct]) {
    const answer = await fetch(new URL(statusUrl, base), { headers: { 'x-api-key': API_KEY } });
    expect(answer.status).toBe(200);
  }
  expect((await fetch(new URL(statusUrl, direct))).status).toBe(401);
});

test('the library takes the base path', async () => {
  const address = { url: proxied, basePath: PREFIX };
  const token = await world.token(companyId);
  const range = { from: new Date(), to: new Date(Date.now() + 3_600_000) };
  await expect(fetchAppointments({ ...address, token, ...range })).resolves.toHaveProperty('epoch');
  const dashboard = connectDashboard({ ...address, getToken: () => Promise.resolve(token) });
  world.keep(dashboard, dashboard.close);
  await eventually('the state live', () => dashboard.state === 'live');
});

test('pages stay behind the operator’s password', async () => {
  for (const path of ['/admin', '/admin/', '/admin/index.html', '/admin/main.js', '/admin/queues']) {
    expect((await fetch(`${proxied}${path}`)).status).toBe(401);
    expect((await fetch(`${proxied}${path}`, { headers: { authorization } })).status).toBe(200);
  }
});
