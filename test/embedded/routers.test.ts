import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Express } from 'express';
import { createConnection } from 'mongoose';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { AcceptedReply } from '@appointment-emissions/contracts';
import { fetchAppointments } from '@appointment-emissions/dashboard';
import { launchChromium } from '../harness/chromium.ts';
import { createEmissions, type Emissions } from '../../src/embedded/index.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, type World } from '../harness/world.ts';
import { createEmbeddedWorld, type Pair, PAIRS, startApplication } from './application.ts';

let world: World;
let company: Company;
let appointmentId: string;
beforeEach(async () => {
  ({ world, company, appointmentId } = await createEmbeddedWorld());
});
afterEach(() => world.close());

/** Resolves when the application's connection to Redis is ready. */
async function start(pair: Pair) {
  const application = await startApplication(world, pair, { attach: false, worker: false });
  await eventually('Redis to be connected', async () => {
    const headers = { 'x-api-key': API_KEY };
    return (await fetch(`${application.url}/api/v1/internal/metrics`, { headers })).ok;
  });
  return application;
}

describe.each(PAIRS)('dashboardRouter in an application with $name', (pair) => {
  const listed = async (url: string, companyId: string) => {
    const day = new Date().toISOString().slice(0, 10);
    const from = new Date(`${day}T00:00:00Z`);
    const token = await world.token(companyId);
    const list = await fetchAppointments({ url, token, from, to: new Date(from.getTime() + 48 * 3_600_000) });
    return list.appointments.map(({ appointment: { _id } }) => _id);
  };

  test('the dashboard library gets the list of the company that the application’s login names, and of no other', async () => {
    const { url } = await start(pair);
    const other = await world.documents.company();
    const othersId = await other.appointment();
    expect(await listed(url, company.companyId)).toEqual([appointmentId]);
    expect(await listed(url, other.companyId)).toEqual([othersId]);
    expect(await listed(url, 'f'.repeat(24))).toEqual([]);
  });

  test('the company in a query or a header changes nothing', async () => {
    const { url } = await start(pair);
    const authorization = `Bearer ${await world.token('f'.repeat(24))}`;
    const response = await fetch(`${url}/api/v1/dashboard/appointments?companyId=${company.companyId}`, {
      headers: { authorization, 'x-company-id': company.companyId },
    });
    expect(await response.json()).toMatchObject({ appointments: [] });
  });

  test('a request without a login is 401; a login that fails is an error, and its cause is logged', async () => {
    const { url, lines } = await startApplication(world, pair, { attach: false, worker: false });
    const list = `${url}/api/v1/dashboard/appointments`;
    const answerTo = async (headers: Record<string, string>, query = '') => {
      const response = await fetch(`${list}${query}`, { headers });
      const { code } = (await response.json()) as { code: string };
      return `${response.status} ${code}`;
    };
    const authorization = `Bearer ${await world.token(company.companyId)}`;
    expect(await answerTo({})).toBe('401 TOKEN_INVALID');
    expect(await answerTo({ authorization: 'Bearer guest' })).toBe('401 TOKEN_INVALID');
    expect(await answerTo({ authorization }, '?from=yesterday')).toBe('400 INVALID_RANGE');
    expect(await answerTo({ authorization: 'Bearer forged' })).toBe('500 INTERNAL_ERROR');
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        message: 'request failed',
        fields: expect.objectContaining({ error: 'not logged in' }),
      }),
    );
  });

  test('other routes below its mount stay the application’s own', async () => {
    const { url } = await start(pair);
    expect(await (await fetch(`${url}/api/v1/dashboard/own`)).json()).toEqual({ own: true });
    expect((await fetch(`${url}/api/v1/dashboard/appointments`, { method: 'POST' })).status).toBe(404);
  });
});

describe.each(PAIRS)('adminRouter in an application with $name', (pair) => {
  const signIn = (password: string) => `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  async function signedIn() {
    const { url } = await start(pair);
    return (path: string, init: RequestInit = {}) =>
      fetch(`${url}${path}`, {
        ...init,
        headers: {
          authorization: signIn('admin-password'),
          'content-type': 'application/json',
          ...(init.headers as Record<string, string>),
        },
      });
  }

  test('an error below its path is a page for a browser, and JSON for a program', async () => {
    const get = await signedIn();
    const html = await (await get('/emissions/nope', { headers: { accept: 'text/html' } })).text();
    expect(html).toContain('<h1>404 Not Found</h1>');
    const paths = [...html.matchAll(/ href="([^"]+)"/g)].map(([, path = '']) => path);
    expect(paths).toEqual(
      ['icon.svg', 'base.css', 'error.css', 'admin/'].map((path) => `/emissions/${path}`),
    );
    for (const path of paths) expect([path, (await get(path)).status]).toEqual([path, 200]);
    expect(await (await get('/emissions/nope')).json()).toMatchObject({ code: 'ROUTE_NOT_FOUND' });
    const internal = await get('/api/v1/internal/socket/nope', { headers: { accept: 'text/html' } });
    expect(internal.headers.get('content-type')).toContain('application/problem+json');
  });

  test('serves the page, and every file and link of the page', async () => {
    const get = await signedIn();
    const response = await get('/emissions/admin/');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const page = await response.text();
    const paths = [...page.matchAll(/ (?:href|src)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(paths.length).toBeGreaterThan(4);
    const answers = await Promise.all(paths.map(async (path) => `${path} ${(await get(path)).status}`));
    expect(answers).toEqual(paths.map((path) => `${path} 200`));
  });

  test('serves the figures, dry runs of repairs, and Bull Board', async () => {
    const get = await signedIn();
    expect(await (await get('/emissions/admin/api/overview')).json()).toMatchObject({
      success: true,
      writes: false,
      failures: [],
    });
    const retry = (body: object) =>
      get('/emissions/admin/api/retry-failed', { method: 'POST', body: JSON.stringify(body) });
    expect((await retry({ since: '1h', dryRun: true })).status).toBe(200);
    expect(await (await retry({ since: '1h' })).json()).toMatchObject({ code: 'ADMIN_READ_ONLY' });
    const board = await (await get('/emissions/admin/queues')).text();
    expect(board).toContain('<base href="/emissions/admin/queues/"');
    const queues = (await (await get('/emissions/admin/queues/api/queues')).json()) as { queues: unknown[] };
    expect(queues.queues).toHaveLength(2);
  });

  test('nothing is served without the operator’s password, and nothing but the page with it', async () => {
    const get = await signedIn();
    for (const authorization of ['', signIn('wrong-password')]) {
      for (const path of ['admin/', 'admin/main.js', '%61dmin/', 'admin/api/overview', 'admin/queues'])
        expect([path, (await get(`/emissions/${path}`, { headers: { authorization } })).status]).toEqual([
          path,
          401,
        ]);
    }
    for (const path of ['', 'index.html', 'main.js', 'docs/', 'openapi.json', 'admin/nothing'])
      expect([path, (await get(`/emissions/${path}`)).status]).toEqual([path, 404]);
    expect(await (await get('/own')).json()).toEqual({ own: true });
  });
});

describe.each(PAIRS)('a router below another mount, with $name', (pair) => {
  async function mount(add: (app: Express, emissions: Emissions) => void) {
    const { emissions } = await start(pair);
    const app = pair.express();
    add(app, emissions);
    const server = app.listen(0, '127.0.0.1');
    world.keep(server, () => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}` };
  }

  test('adminRouter is refused, and the error says how to mount it', async () => {
    const { url } = await mount((app, emissions) => app.use('/ops', emissions.adminRouter()));
    const response = await fetch(`${url}/ops/emissions/admin/`);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('adminRouter is mounted at /ops: mount it without a path, as');
  });

  test('the statusUrl of the internal router works, after express.json() too', async () => {
    const { url } = await mount((app, emissions) => {
      app.use(pair.express.json());
      app.use('/calendar/internal', emissions.router);
    });
    const headers = { 'x-api-key': API_KEY, 'content-type': 'application/json' };
    const response = await fetch(`${url}/calendar/internal/socket/appointment-updated`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ appointmentId }),
    });
    const { statusUrl } = (await response.json()) as AcceptedReply;
    expect(statusUrl).toMatch(/^\/calendar\/internal\/socket\/emissions\//);
    expect(response.headers.get('location')).toBe(statusUrl);
    expect((await fetch(`${url}${statusUrl}`, { headers })).status).toBe(200);
  });
});

test('the operator’s page works in a browser, with the job list, and loads nothing that is missing', async () => {
  const { url } = await startApplication(world, PAIRS[1]);
  const browser = await launchChromium();
  world.keep(browser, () => browser.close());
  const context = await browser.newContext({
    httpCredentials: { username: 'admin', password: 'admin-password' },
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(`${url}/emissions/admin/`);
  await page.getByRole('heading', { name: 'Processes' }).waitFor();
  await page.locator('#processes').getByText('gateway').waitFor();
  await page.getByRole('link', { name: 'Jobs' }).click();
  await page.getByText('bulk').first().waitFor();
  expect(complaints).toEqual([]);
}, 120_000);

test('adminRouter names every problem of its settings', () => {
  const connection = createConnection(world.env['MONGODB_URI']!);
  const { INTERNAL_SERVICE_API_KEY: key, REDIS_URL: redis } = world.env;
  const emissions = createEmissions({
    connection,
    redis: redis!,
    settings: { ...world.env, ADMIN_USER: 'a:b', ADMIN_PASSWORD: key },
    logger: { info: () => undefined, error: () => undefined },
  });
  world.keep(connection, () => connection.close(true));
  world.keep(emissions, emissions.close);
  expect(() => emissions.adminRouter()).toThrow(
    /ADMIN_USER must not contain a colon.*ADMIN_PASSWORD must not be/s,
  );
  const refuses = (options: unknown, problem: string) => {
    expect(() => emissions.adminRouter(options as object)).toThrow(
      `The configuration is invalid:\n  - ${problem}`,
    );
  };
  refuses({ path: '/' }, 'path must name a path, such as /emissions');
  refuses({ path: '/a b' }, 'path must be a path such as /calendar');
  refuses({ path: 7 }, "path must be text, such as '/emissions', not a value of type number");
  refuses({ path: null }, "path must be text, such as '/emissions', not null");
  refuses('/ops', "adminRouter takes an object, such as { path: '/emissions' }, not a value of type string");
  refuses(null, "adminRouter takes an object, such as { path: '/emissions' }, not null");
  refuses(['/ops'], "adminRouter takes an object, such as { path: '/emissions' }, not a list");
});
