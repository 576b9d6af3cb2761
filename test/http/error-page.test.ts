import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import express from 'express';
import type { RunningApi } from '../../src/api/start-api.ts';
import { offerErrorPages } from '../../src/http/error-page.ts';
import { problem, sendProblem } from '../../src/http/problem.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { problemOf } from './internal.ts';

/** What Chromium and Firefox send for an address that a person opens. */
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const WRONG_PASSWORD = `Basic ${btoa('admin:wrong')}`;

let world: World;
let api: RunningApi;
beforeAll(async () => {
  world = await createWorld();
  api = await world.ready(world.api());
});
afterAll(() => world.close());

const get = (path: string, headers: Record<string, string>, method = 'GET') =>
  fetch(`${api.url}${path}`, { method, headers });

test.each([
  ['/nope', 404, 'Not Found', 'There is no page at this address.', 'ROUTE_NOT_FOUND', {}],
  [
    '/admin/',
    401,
    'Unauthorized',
    'sign in with the name',
    'ADMIN_AUTH_REQUIRED',
    { authorization: WRONG_PASSWORD },
  ],
  ['/admin/queues', 401, 'Unauthorized', 'This page is for operators', 'ADMIN_AUTH_REQUIRED', {}],
  ['/metrics', 401, 'Unauthorized', 'This address is for programs', 'API_KEY_MISSING', {}],
  ['/api/v1/dashboard/appointments', 401, 'Unauthorized', 'Open the dashboard.', 'TOKEN_INVALID', {}],
  [
    '/api/v1/internal/socket/batch',
    401,
    'Unauthorized',
    'This address is for programs',
    'API_KEY_MISSING',
    {},
  ],
])(
  'a browser that opens %s receives a page with status, cause and advice',
  async (path, status, title, words, code, headers) => {
    const response = await get(path, { accept: BROWSER, ...headers });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      status,
      'text/html; charset=utf-8',
    ]);
    const html = await response.text();
    expect(html).toContain(`<h1>${status} ${title}</h1>`);
    expect(html).toContain(words);
    expect(html).toContain(`<code>${code}</code>`);
    expect(response.headers.get('vary')).toContain('Accept');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const own = await get('/', {});
    expect(response.headers.get('content-security-policy')).toBe(own.headers.get('content-security-policy'));
    expect(html).not.toMatch(/<script|<style|\sstyle=|\son\w+=/i);
  },
);

test('the stylesheets and links of the page exist', async () => {
  const html = await (await get('/nope', { accept: BROWSER })).text();
  const paths = [...html.matchAll(/ href="([^"]+)"/g)].map(([, path = '']) => path);
  expect(paths).toEqual(['/icon.svg', '/base.css', '/error.css', '/', '/admin/', '/docs/']);
  const statuses = await Promise.all(paths.map(async (path) => (await get(path, {})).status));
  expect(statuses).toEqual([200, 200, 200, 200, 401, 200]);
});

test.each<Record<string, string>>([
  {},
  { accept: '*/*' },
  { accept: 'application/json' },
  { accept: 'application/problem+json' },
  { accept: 'application/json, text/plain, */*' },
  { accept: 'application/json, text/html' },
  { accept: 'text/html;q=0.5, application/json' },
  { accept: 'text/html;q=0' },
  { accept: 'image/png' },
  { accept: ', ;;q=x/' },
  // Programs: Java's default, for example, prefers HTML.
  { accept: 'text/html, image/gif, */*; q=.2', 'x-api-key': API_KEY },
  { accept: BROWSER, authorization: 'Bearer x' },
])('a program receives JSON: %j', async (headers) => {
  const response = await get('/nope', headers);
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(await response.json()).toEqual(problemOf(404, 'ROUTE_NOT_FOUND'));
});

test('a POST is answered with JSON, whatever it accepts', async () => {
  const response = await get('/api/v1/internal/socket/appointment-created', { accept: BROWSER }, 'POST');
  expect([response.status, await response.json()]).toEqual([401, problemOf(401, 'API_KEY_MISSING')]);
});

test('HEAD has the headers of the page and no body', async () => {
  const response = await get('/nope', { accept: BROWSER }, 'HEAD');
  expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
    404,
    'text/html; charset=utf-8',
    '',
  ]);
});

test('nothing of the request is in the page', async () => {
  const path = '/%3Cscript%3Ealert(1)%3C/script%3E<b>"\'?q=<img src=x>';
  const html = await (await get(path, { accept: BROWSER, 'x-request-id': 'canary-of-a-request' })).text();
  expect(html).not.toMatch(/script|alert|<b>|<img|canary-of-a-request/i);
  const plain = await (await get('/nope', { accept: BROWSER })).text();
  expect(html).toBe(plain);
});

test('every text of the page is escaped', async () => {
  const app = express();
  offerErrorPages(app, { basePath: '/"><b>', links: [{ path: '/', text: '<i>link</i>' }] });
  app.get('/', (_req, res) => {
    sendProblem(res, problem('INVALID_REQUEST', `<img src=x onerror='alert(1)'> & "quoted"`));
  });
  const server = app.listen(0, '127.0.0.1');
  world.keep(server, () => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: BROWSER } });
  const html = await response.text();
  expect(html).toContain('&lt;img src=x onerror=&#39;alert(1)&#39;&gt; &amp; &quot;quoted&quot;.');
  expect(html).toContain('href="/&quot;&gt;&lt;b&gt;/error.css"');
  expect(html).toContain('&lt;i&gt;link&lt;/i&gt;');
  expect(html).not.toMatch(/<img|<b>|<i>/);
});

test('an operator who is refused too often sees when to try again', async () => {
  const own = await world.ready(world.api());
  let response: Response;
  do {
    response = await fetch(`${own.url}/admin/`, {
      headers: { accept: BROWSER, authorization: WRONG_PASSWORD },
    });
  } while (response.status === 401);
  expect([response.status, Number(response.headers.get('retry-after')) > 0]).toEqual([429, true]);
  expect(await response.text()).toContain('Wait a minute, then reload this page.');
});

test('behind a proxy that strips a prefix, the page names its files by the paths that the browser sees', async () => {
  const own = await world.ready(world.api({ BASE_PATH: '/calendar' }));
  const html = await (await fetch(`${own.url}/nope`, { headers: { accept: BROWSER } })).text();
  expect(html).toContain('href="/calendar/error.css"');
  expect(html).toContain('href="/calendar/admin/"');
});
