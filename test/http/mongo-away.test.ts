import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import request from 'supertest';
import type { ServiceHandle } from '../../scripts/services/service.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { freeze, ownMongo } from '../harness/own-services.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { problemOf } from './internal.ts';

/** Promised: a database error is answered within a second. The rest is for a busy machine, which this is in a test run. */
const PROMISED_MS = 1_000 + 500;
/** A machine that pauses for a moment exceeds a time limit once, an API that is too slow exceeds it every time. */
jest.retryTimes(2, { logErrorsBeforeRetry: true });

let mongo: ServiceHandle;
let world: World;
let api: RunningApi;
let company: Company;
let appointmentId: string;
beforeAll(async () => {
  mongo = await ownMongo();
  world = await createWorld({ mongoUri: mongo.url });
  api = await world.api();
  company = await world.documents.company();
  appointmentId = await company.appointment();
});
beforeEach(async () => {
  await acceptedAgain();
  await world.jobs.drain();
});
afterAll(async () => {
  await world.close();
  await mongo.stop();
});

async function post(path = 'appointment-created', body: object = { appointmentId }) {
  const startedAt = performance.now();
  const response = await world.post(api, path, body);
  return { response, tookMs: performance.now() - startedAt };
}
async function expectDatabaseError({ response, tookMs }: Awaited<ReturnType<typeof post>>) {
  expect(await response.json()).toEqual(problemOf(500, 'DATABASE_ERROR'));
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(tookMs).toBeLessThan(PROMISED_MS);
}
const acceptedAgain = () =>
  eventually('the API to accept again', async () => (await post()).response.status === 202);

test('while MongoDB is stopped a request gets 500 within a second and enqueues nothing, and the API recovers', async () => {
  await mongo.stop();
  try {
    const answers = await Promise.all(Array.from({ length: 10 }, () => post()));
    for (const answer of answers) await expectDatabaseError(answer);
    expect(await world.jobs.count('waiting', 'prioritized', 'delayed')).toBe(0);
    const list = await request(api.url)
      .get('/api/v1/dashboard/appointments')
      .set('authorization', `Bearer ${await world.token(company.companyId)}`);
    expect(list.body).toEqual(problemOf(500, 'DATABASE_ERROR'));
  } finally {
    await mongo.restart();
  }
  await acceptedAgain();
});

test('while MongoDB is frozen every request gets 500 within a second, also one that waited for its turn', async () => {
  await freeze(mongo);
  try {
    const waves = [];
    for (let wave = 0; wave < 8; wave += 1) {
      waves.push(post());
      await pause(60); // apart, so that they are not checked together
    }
    for (const answer of await Promise.all(waves)) await expectDatabaseError(answer);
    const emissions = [{ event: 'appointment:created', appointmentId }];
    await expectDatabaseError(await post('batch', { emissions }));
    expect(await world.jobs.count('waiting', 'prioritized', 'delayed')).toBe(0);
  } finally {
    await mongo.kill('SIGCONT');
  }
  await acceptedAgain();
});

test('while MongoDB is frozen, different lists of one company fail together', async () => {
  const token = await world.token(company.companyId);
  await freeze(mongo);
  try {
    const endedAt = await Promise.all(
      Array.from({ length: 8 }, async (_, day) => {
        const { body } = await request(api.url)
          .get('/api/v1/dashboard/appointments')
          .query({ from: `2027-03-0${day + 1}` })
          .set('authorization', `Bearer ${token}`);
        expect(body).toEqual(problemOf(500, 'DATABASE_ERROR'));
        return performance.now();
      }),
    );
    expect(Math.max(...endedAt) - Math.min(...endedAt)).toBeLessThan(1_000);
  } finally {
    await mongo.kill('SIGCONT');
  }
  await acceptedAgain();
});

test('a key can be used again after a frozen database', async () => {
  const headers = { 'Idempotency-Key': 'the-same-key' };
  await freeze(mongo);
  try {
    const failed = await world.post(api, 'appointment-created', { appointmentId }, headers);
    expect(failed.status).toBe(500);
  } finally {
    await mongo.kill('SIGCONT');
  }
  await acceptedAgain();
  const again = await world.post(api, 'appointment-created', { appointmentId }, headers);
  expect(again.status).toBe(202);
});

test('an API that started without MongoDB answers 500 within a second, and works when MongoDB is available', async () => {
  await mongo.stop();
  const early = await world.api();
  try {
    const startedAt = performance.now();
    const response = await world.post(early, 'appointment-created', { appointmentId });
    await expectDatabaseError({ response, tookMs: performance.now() - startedAt });
  } finally {
    await mongo.restart();
  }
  await eventually('the early API to accept', async () => {
    const { status } = await world.post(early, 'appointment-created', { appointmentId });
    return status === 202;
  });
});
