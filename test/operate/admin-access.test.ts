import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { World } from '../harness/world.ts';
import { admin, quietWorld } from './admin.ts';

let world: World;
let api: RunningApi;
beforeAll(async () => {
  world = await quietWorld();
  api = await world.api();
});
afterAll(() => world.close());

const REPAIRS = {
  retry: { emissionId: 'e' },
  'retry-failed': { since: '1h' },
  're-emit': { companyId: 'a'.repeat(24), since: '1h' },
  disconnect: { companyId: 'a'.repeat(24) },
};

test.each(Object.entries(REPAIRS))('%s is refused without ADMIN_WRITES', async (path, body) => {
  expect(await admin(api, path, body)).toMatchObject({ status: 403, body: { code: 'ADMIN_READ_ONLY' } });
});

test('a dry run needs no ADMIN_WRITES', async () => {
  expect(await admin(api, 'retry-failed', { since: '1h', dryRun: true })).toMatchObject({ status: 200 });
});

test.each([
  '/admin',
  '/admin/',
  '/admin/index.html',
  '/ADMIN/main.js',
  '//admin/',
  '/%61dmin/index.html',
  '/x/../admin/',
  '/admin/%',
])('%s requires credentials', async (path) => {
  const { hostname, port } = new URL(api.url);
  const status = await new Promise((resolve, reject) => {
    request({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(status).toBe(401);
});

test.each(['overview', 'series', 'companies'])('/admin/api/%s requires credentials', async (path) => {
  expect(await admin(api, path, undefined, { authorization: '' })).toMatchObject({
    status: 401,
    body: { code: 'ADMIN_AUTH_REQUIRED' },
  });
});

test.each<Record<string, string>>([
  { origin: 'https://elsewhere.example' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
])('a change from another site’s page is refused: %j', async (headers) => {
  const answer = await admin(api, 'retry-failed', { since: '1h', dryRun: true }, headers);
  expect(answer).toMatchObject({ status: 403, body: { code: 'CROSS_ORIGIN' } });
});

test('a change from our own page is allowed', async () => {
  const headers = { origin: api.url, 'sec-fetch-site': 'same-origin' };
  expect(await admin(api, 'retry-failed', { since: '1h', dryRun: true }, headers)).toMatchObject({
    status: 200,
  });
});

test.each([
  [{}, /since/],
  [{ since: 'yesterday' }, /ISO 8601/],
  [{ since: '1h', limit: 0 }, /limit/],
  [{ since: '1h', code: 'NO_SUCH_CODE' }, /code/],
  [{ since: '1h', until: '1h', more: 1 }, /more/],
])('retry-failed with %j is refused with a reason', async (body, words) => {
  const answer = await admin(api, 'retry-failed', { ...body, dryRun: true });
  expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  expect(answer.body.detail).toMatch(words);
});

test.each(['prefix=g', `prefix=${'a'.repeat(25)}`, 'prefix=a&prefix=b', 'prefix=%00', 'prefix=$'])(
  'companies with %s are refused',
  async (query) => {
    expect(await admin(api, `companies?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST' },
    });
  },
);

test('re-emit needs either a company or an appointment', async () => {
  const answer = await admin(api, 're-emit', { since: '1h', dryRun: true });
  expect(answer.body.detail).toMatch(/either companyId or appointmentId/);
});
