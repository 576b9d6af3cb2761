import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import request from 'supertest';
import { launchChromium } from '../harness/chromium.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import { createWorld, type World } from '../harness/world.ts';
import { problemOf } from './internal.ts';

const BOARD = '/admin/queues';

let world: World;
let api: RunningApi;
let browser: Browser;
beforeAll(async () => {
  // Its jobs wait.
  world = await createWorld({ env: { API_CONCURRENCY: '0' } });
  api = await world.api();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await world.close();
});

test.each([
  ['no credentials', []],
  ['a wrong password', ['admin', 'wrong']],
  ['a wrong user', ['root', 'admin-password']],
])('with %s the page, the list of jobs and changes are refused', async (_, [user, password]: string[]) => {
  const asks = [
    request(api.url).get(BOARD),
    request(api.url).get(`${BOARD}/api/queues`),
    request(api.url).get(`${BOARD}/static/js/main.js`),
    request(api.url).put(`${BOARD}/api/queues/appointment-emissions/pause`),
  ];
  for (const request of asks) {
    const response = await (user && password ? request.auth(user, password) : request).expect(401);
    expect(response.body).toEqual(problemOf(401, 'ADMIN_AUTH_REQUIRED'));
    expect(response.headers['www-authenticate']).toMatch(/^Basic /);
  }
});

test('Bull Board shows the jobs in a browser, under a policy that allows no other source', async () => {
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  await world.emit(api, 'appointment-created', appointmentId);
  const context = await browser.newContext({
    httpCredentials: { username: 'admin', password: 'admin-password' },
  });
  const page = await context.newPage();
  const failures: string[] = [];
  const elsewhere: string[] = [];
  page.on('pageerror', (error) => failures.push(error.message));
  page.on('response', (response) => {
    if (response.status() >= 400) failures.push(`${response.status()} ${response.url()}`);
    if (!response.url().startsWith(api.url)) elsewhere.push(response.url());
  });

  const response = await page.goto(`${api.url}${BOARD}/queue/appointment-emissions?status=waiting`);
  await page.getByText(`appointment ${appointmentId}`, { exact: false }).first().waitFor({ timeout: 15_000 });

  const policy = response!.headers()['content-security-policy'];
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect({ failures, elsewhere }).toEqual({ failures: [], elsewhere: [] });
  // Its style sheet is in force.
  const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
  expect(background).not.toBe('rgba(0, 0, 0, 0)');
  await context.close();
});
