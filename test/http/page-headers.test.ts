import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunningApi } from '../../src/api/start-api.ts';
import { createWorld, type World } from '../harness/world.ts';
import { problemOf } from './internal.ts';

const authorization = `Basic ${btoa('admin:admin-password')}`;
const PAGES = ['/', '/docs', '/admin/', '/admin/queues', '/no/such/page'];

let world: World;
let api: RunningApi;
beforeAll(async () => {
  world = await createWorld();
  api = await world.api({ ADMIN_WRITES: 'on' });
});
afterAll(() => world.close());

const policyOf = (response: Response) =>
  new Map(
    (response.headers.get('content-security-policy') ?? '').split(';').map((directive) => {
      const [name = '', ...sources] = directive.trim().split(/\s+/);
      return [name, sources];
    }),
  );

test.each(PAGES)(
  '%s: only scripts of this server run, none is inline, and no page can frame it',
  async (path) => {
    const response = await fetch(`${api.url}${path}`, { headers: { authorization } });
    const policy = policyOf(response);
    expect(policy.get('default-src')).toEqual(["'none'"]);
    expect(policy.get('script-src')).toEqual(["'self'"]);
    expect(policy.get('frame-ancestors')).toEqual(["'none'"]);
    expect(policy.get('form-action')).toEqual(["'self'"]);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('x-powered-by')).toBeNull();

    const html = await response.text();
    const inline = [...html.matchAll(/<script(?![^>]*\bsrc=)([^>]*)>/g)].map(([, attributes]) => attributes);
    // Bull Board hands its settings over as data: no browser runs that.
    expect(inline.filter((attributes) => !attributes?.includes('type="application/json"'))).toEqual([]);
    expect(html).not.toMatch(/<[^>]+\son[a-z]+=|javascript:/i);
  },
);

test('inline styles are allowed in Bull Board only, which needs them', async () => {
  for (const path of PAGES) {
    const policy = policyOf(await fetch(`${api.url}${path}`, { headers: { authorization } }));
    const expected = path === '/admin/queues' ? ["'self'", "'unsafe-inline'"] : ["'self'"];
    expect([path, policy.get('style-src')]).toEqual([path, expected]);
  }
});

test.each<Record<string, string>>([
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
])('Bull Board refuses changes from another site’s page: %j', async (headers) => {
  const pause = `${api.url}/admin/queues/api/queues/appointment-emissions/pause`;
  const response = await fetch(pause, { method: 'PUT', headers: { authorization, ...headers } });
  expect([response.status, await response.json()]).toEqual([403, problemOf(403, 'CROSS_ORIGIN')]);
  expect(await world.queue.isPaused()).toBe(false);
});

test('Bull Board allows changes from its own page', async () => {
  const change = (what: string) =>
    fetch(`${api.url}/admin/queues/api/queues/appointment-emissions/${what}`, {
      method: 'PUT',
      headers: { authorization, origin: api.url, 'sec-fetch-site': 'same-origin' },
    });
  expect((await change('pause')).status).toBe(200);
  expect(await world.queue.isPaused()).toBe(true);
  expect((await change('resume')).status).toBe(200);
});
