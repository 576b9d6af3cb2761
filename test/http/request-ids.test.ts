import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readLogLines } from '../harness/log-lines.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';

const EMISSIONS = '/api/v1/internal/socket';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

let world: World;
let api: { url: string };
let appointmentId: string;
beforeAll(async () => {
  world = await createWorld({ env: { LOG_LEVEL: 'debug' } });
  api = await world.ready(world.apiProcess());
  appointmentId = await (await world.documents.company()).appointment();
});
afterAll(() => world.close());

/** Sends the header unchanged; `fetch` would refuse some. */
function requestIdOf(path: string, given?: string | string[], method = 'GET', body?: string) {
  const headers = {
    'x-api-key': API_KEY,
    'content-type': 'application/json',
    ...(given !== undefined && { 'x-request-id': given }),
  };
  const answer = new Promise<string | string[] | undefined>((resolve, reject) => {
    const sent = httpRequest(`${api.url}${path}`, { method, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.headers['x-request-id']);
    });
    sent.on('error', reject);
    sent.end(body);
  });
  return until('an answer', answer);
}

test.each([
  ['an accepted emission', `${EMISSIONS}/appointment-created`, 'POST', () => ({ appointmentId })],
  ['an accepted batch', `${EMISSIONS}/batch`, 'POST', () => ({ emissions: [null] })],
  ['a rejection', `${EMISSIONS}/appointment-created`, 'POST', () => ({})],
  ['an unknown route', '/nothing', 'GET', undefined],
  ['an unauthorized dashboard', '/api/v1/dashboard/appointments', 'GET', undefined],
  ['an unauthorized operator', '/admin/api/overview', 'GET', undefined],
  ['readiness', '/readyz', 'GET', undefined],
  ['the documentation', '/openapi.json', 'GET', undefined],
])('%s returns the X-Request-Id of its request', async (_, path, method, body) => {
  const id = randomUUID();
  expect(await requestIdOf(path, id, method, body && JSON.stringify(body()))).toBe(id);
});

test.each([
  ['of 1 character', 'x'],
  ['of 128 characters', 'x'.repeat(128)],
  ['of every character of an id', 'azAZ09_.:=+/-'],
])('an id %s is accepted', async (_, id) => {
  expect(await requestIdOf('/livez', id)).toBe(id);
});

test.each([
  ['missing', undefined],
  ['empty', ''],
  ['of 129 characters', 'x'.repeat(129)],
  ['with a space', 'a b'],
  ['with a tab', 'a\tb'],
  ['outside of ASCII', 'schl\u00fcssel'],
  ['an e-mail address', 'ann@example.org'],
  ['URL-encoded', 'Ann%20Bauer'],
  ['given twice', ['a', 'b']],
])('an id that is %s is replaced by a random one', async (_, id) => {
  expect(await requestIdOf('/livez', id)).toMatch(UUID);
});

test('the id is in the log lines of its request', async () => {
  const id = randomUUID();
  await requestIdOf(`${EMISSIONS}/appointment-created`, id, 'POST', JSON.stringify({ appointmentId }));
  const lines = await eventually('two lines', () => {
    const found = readLogLines(world.env['LOG_DIR']!).filter(({ requestId }) => requestId === id);
    return found.length >= 2 ? found : undefined;
  });
  expect(lines.map(({ requestId }) => requestId)).toEqual([id, id]);
  expect(lines.map(({ msg }) => msg).sort()).toEqual([
    `[InternalSocket] Accepted appointment:created for ${appointmentId}`,
    '[InternalSocket] answered',
  ]);
});
