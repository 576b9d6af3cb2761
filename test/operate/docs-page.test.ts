import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../harness/chromium.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import { axeFindings } from '../harness/axe.ts';
import { startPrefixProxy } from '../harness/prefix-proxy.ts';
import { createWorld, type World } from '../harness/world.ts';

const PREFIX = '/groomers';

interface OpenApi {
  paths: Record<string, Record<string, { summary: string }>>;
}

let world: World;
let api: RunningApi;
let proxied: string;
let browser: Browser;
beforeAll(async () => {
  [browser, world] = await Promise.all([launchChromium(), createWorld({ env: { BASE_PATH: PREFIX } })]);
  api = await world.api();
  const proxy = await startPrefixProxy(api.url, PREFIX);
  world.keep(proxy, () => {
    proxy.close();
  });
  proxied = proxy.url;
}, 120_000);
afterAll(async () => {
  await browser.close();
  await world.close();
});

/** Opens `/docs` as users do, through the proxy, and collects what the browser requests and reports. */
async function openDocs() {
  const page = await browser.newPage();
  const requested: string[] = [];
  const reported: string[] = [];
  page.on('request', (request) => requested.push(request.url()));
  page.on('requestfailed', (request) => reported.push(`failed: ${request.url()}`));
  page.on('pageerror', (error) => reported.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) reported.push(`console: ${message.text()}`);
  });
  // The console does not show every violation of the Content-Security-Policy.
  await page.exposeFunction('reportViolation', (text: string) => reported.push(`violation: ${text}`));
  await page.addInitScript(`document.addEventListener('securitypolicyviolation', (event) => {
    reportViolation(event.violatedDirective + ' ' + event.blockedURI);
  })`);
  await page.goto(`${proxied}/docs`);
  await page.locator('.opblock').first().waitFor();
  return { page, requested, reported };
}

test('the page shows every operation of the OpenAPI document', async () => {
  const { page, reported } = await openDocs();
  const { paths } = (await (await fetch(`${api.url}/openapi.json`)).json()) as OpenApi;
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary }]) => [method.toUpperCase(), path, summary]),
  );
  const shown = await Promise.all(
    (await page.locator('.opblock-summary').all()).map((block) =>
      Promise.all(
        ['method', 'path', 'description'].map(async (part) =>
          // Zero-width spaces mark where a long path may break.
          ((await block.locator(`.opblock-summary-${part}`).textContent()) ?? '').replaceAll('\u200b', ''),
        ),
      ),
    ),
  );
  expect(shown.sort()).toEqual(documented.sort());
  expect(reported).toEqual([]);
  await page.close();
}, 60_000);

test('the page makes no request to other origins and violates no policy, also with an operation and a schema open', async () => {
  const { page, requested, reported } = await openDocs();
  await page.locator('.opblock-post').first().click();
  await page.locator('.opblock-body .responses-table').first().waitFor();
  await page.locator('.models button').first().click();
  await page.locator('.models .json-schema-2020-12').first().waitFor();
  const elsewhere = requested.filter((url) => !url.startsWith(`${proxied}/`) && !url.startsWith('data:'));
  expect(elsewhere).toEqual([]);
  expect(reported).toEqual([]);
  await page.close();
}, 60_000);

test('"Try it out" sends the request to this server', async () => {
  const { page, reported } = await openDocs();
  const livez = page.locator('#operations-Health-isAlive');
  await livez.click();
  await livez.getByRole('button', { name: 'Try it out' }).click();
  const sent = page.waitForResponse(`${proxied}/livez`);
  await livez.getByRole('button', { name: 'Execute' }).click();
  expect((await sent).status()).toBe(200);
  await livez.locator('.live-responses-table .response').first().waitFor();
  expect(reported).toEqual([]);
  await page.close();
}, 60_000);

test.each(['openapi.json', 'asyncapi.json'])(
  'the page links to %s',
  async (name) => {
    const { page } = await openDocs();
    await page.locator(`header a[href$="${name}"]`).click();
    await page.waitForURL(`${proxied}/${name}`);
    await page.close();
  },
  60_000,
);

test.each(['light', 'dark'] as const)(
  'the texts of the page have enough contrast, %s',
  async (colorScheme) => {
    const { page } = await openDocs();
    await page.emulateMedia({ colorScheme });
    await page.locator(colorScheme === 'dark' ? 'html.dark-mode' : 'html:not(.dark-mode)').waitFor();
    const findings = await axeFindings(page);
    expect(findings.filter((finding) => finding.startsWith('color-contrast'))).toEqual([]);
  },
);
