import { afterEach, expect, test } from '@jest/globals';
import type { World } from '../harness/world.ts';
import { type Answer, CREDENTIALS, quietWorld } from './admin.ts';

let world: World;
afterEach(() => world.close());

const board = (api: { url: string }, path: string, init: RequestInit = {}) =>
  fetch(`${api.url}/admin/queues${path}`, {
    ...init,
    headers: { authorization: CREDENTIALS, ...(init.headers as Record<string, string>) },
  });

test('the title of a job has event, appointment, company and attempts, and the reason of a failure', async () => {
  world = await quietWorld();
  const api = await world.api();
  const company = await world.documents.company();
  const appointmentId = await company.appointment();
  const emissionId = await world.emit(api, 'appointment-canceled', appointmentId);
  await world.documents.giveAway();
  world.worker();
  await world.jobIn(emissionId, 'failed');

  const answer = await board(api, '/api/queues?activeQueue=appointment-emissions&status=failed&page=1');
  const [job] = ((await answer.json()) as Answer).queues[0].jobs;
  expect(job.name).toBe(
    `appointment:canceled · appointment ${appointmentId} · company ${company.companyId} · 1 of 8 attempts`,
  );
  expect(job.failedReason).toBe(
    `COMPANY_MISMATCH: appointment ${appointmentId} belongs to another company than the emission was accepted for`,
  );
});

test('Bull Board retries only with ADMIN_WRITES, and only for its own page', async () => {
  world = await quietWorld();
  const [readOnly, writing] = [await world.api(), await world.api({ ADMIN_WRITES: 'on' })];
  const company = await world.documents.company();
  const emissionId = await world.emit(readOnly, 'appointment-created', await company.appointment());
  await world.documents.giveAway();
  const worker = world.worker();
  await world.jobIn(emissionId, 'failed');
  await worker.close();

  const path = `/api/queues/appointment-emissions/${emissionId}/retry`;
  const refused = await board(readOnly, path, { method: 'PUT' });
  expect([refused.status, await refused.json()]).toEqual([
    403,
    expect.objectContaining({
      code: 'ADMIN_READ_ONLY',
      detail: expect.stringContaining('your role is view'),
    }),
  ]);
  const elsewhere = { origin: 'https://elsewhere.example' };
  expect((await board(writing, path, { method: 'PUT', headers: elsewhere })).status).toBe(403);
  await world.jobIn(emissionId, 'failed');
  expect((await board(writing, path, { method: 'PUT', headers: { origin: writing.url } })).status).toBe(204);
  await world.jobIn(emissionId, 'waiting');
});

test.each([
  ['a text', '"a\\u0000b"'],
  ['20,000 lists', `${'['.repeat(20_000)}"\\u0000"${']'.repeat(20_000)}`],
])('a body with NUL in %s is refused before Bull Board reads it', async (_, value) => {
  world = await quietWorld();
  const api = await world.api({ ADMIN_WRITES: 'on' });
  const answer = await board(api, '/api/queues/appointment-emissions/obliterate', {
    method: 'PUT',
    headers: { origin: api.url, 'content-type': 'application/json' },
    body: `{"force":${value}}`,
  });
  expect([answer.status, await answer.json()]).toEqual([
    400,
    expect.objectContaining({ code: 'INVALID_REQUEST', detail: expect.stringContaining('NUL') }),
  ]);
});
