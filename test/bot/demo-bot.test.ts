import { describe, expect, test } from '@jest/globals';
import express from 'express';
import mongoose from 'mongoose';
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import request from 'supertest';
import type { ChatAppointment, ChatCatalogue } from '../../demo/chat.ts';
import { createDemoRouter } from '../../demo/demo-routes.ts';
import { seedDemo } from '../../demo/seed-demo.ts';
import { startDemoBot } from '../../demo/start-demo-bot.ts';
import { eventually } from '../harness/until.ts';
import {
  absentUrl,
  closeAfterEach,
  later,
  readLog,
  startBackend,
  startBot,
  temporaryDirectory,
} from './bot-world.ts';

closeAfterEach();

const PAGE = 'http://localhost:3001';

/** The demo bot on freshly seeded data. */
async function startDemo(backendUrl: string) {
  const dbName = `demo_${randomUUID().slice(0, 8)}`;
  const mongodbUri = `${process.env.TEST_MONGODB_URI}/${dbName}`;
  await seedDemo(mongodbUri, 'UTC', new Date());
  later(async () => {
    const connection = await mongoose.createConnection(mongodbUri).asPromise();
    await connection.dropDatabase();
    await connection.close();
  });
  const logDir = await temporaryDirectory();
  const bot = await startDemoBot({
    mongodbUri,
    port: 0,
    pageOrigins: [PAGE],
    timeZone: 'UTC',
    logDir,
    // On a busy machine the first call can take longer than the time that a bot has.
    realtime: startBot({ backendUrl, deadlineMs: 4_000, attemptTimeoutMs: 4_000 }),
    logger: pino({ level: 'silent' }),
  });
  later(() => bot.close());
  const agent = request(bot.url);
  await eventually('the database', async () => (await agent.get('/catalogue')).status === 200);
  const catalogue = (await agent.get('/catalogue')).body as ChatCatalogue;
  const [customer] = catalogue.customers;
  const booking = {
    customerId: customer!.id,
    petId: customer!.pets[0]!.id,
    serviceId: catalogue.services[0]!.id,
    staffId: catalogue.staff[0]!.id,
    // Past the seeded week.
    start: new Date((Math.floor(Date.now() / 3_600_000) + 24 * 30) * 3_600_000).toISOString(),
    durationMinutes: 60,
  };
  return { bot, agent, catalogue, booking, logDir, mongodbUri };
}

describe('the demo bot', () => {
  test('serves the data that the chat form needs', async () => {
    const { agent, catalogue } = await startDemo((await startBackend()).url);
    expect(catalogue.companyName).toBe('Demo Grooming');
    expect(catalogue.staff).toHaveLength(3);
    expect(catalogue.customers[0]).toMatchObject({
      name: 'Alice Moreau',
      pets: [{ name: 'Biscuit', size: 'small' }],
    });
    expect(catalogue.services[0]?.items.map(({ size }) => size)).toContain('small');
    const appointments = (await agent.get('/appointments')).body as ChatAppointment[];
    expect(appointments.length).toBeGreaterThan(0);
    for (const { end } of appointments) expect(Date.parse(end!)).toBeGreaterThan(Date.now() - 60_000);
    expect(catalogue).toMatchObject({ opensAt: 540, closesAt: 1020 });
  });

  test('creates the indexes of the bookings at its start, so that the first booking does not wait for them', async () => {
    const { mongodbUri } = await startDemo((await startBackend()).url);
    const connection = await mongoose.createConnection(mongodbUri).asPromise();
    later(() => connection.close());
    const indexes = () => connection.collection('appointments').indexes();
    await eventually('the indexes', async () => {
      const names = (await indexes()).map(({ name }) => name);
      return ['staff_slot_numbers', 'pet_slot_numbers', 'staff_start', 'staff_end'].every((name) =>
        names.includes(name),
      );
    });
  });

  test('books, moves and cancels, and emits each change', async () => {
    const backend = await startBackend();
    const { agent, booking } = await startDemo(backend.url);
    const booked = await agent.post('/tools/book_appointment').set('Origin', PAGE).send(booking);
    expect(booked.body).toEqual({ ok: true, message: 'Booked.', tookMs: expect.any(Number) });
    // A tool waits at most 40 ms for its emission.
    const emitted = (count: number) =>
      eventually(`emission ${count}`, () => backend.received.length === count);
    await emitted(1);
    const appointmentId = (backend.received[0]!.body as { appointmentId: string }).appointmentId;
    const start = new Date(Date.parse(booking.start) + 3_600_000).toISOString();
    expect((await agent.post('/tools/reschedule_appointment').send({ appointmentId, start })).body.ok).toBe(
      true,
    );
    await emitted(2);
    expect((await agent.post('/tools/cancel_appointment').send({ appointmentId })).body.ok).toBe(true);
    await emitted(3);
    expect(backend.received.map(({ path }) => path?.split('/').at(-1))).toEqual([
      'appointment-created',
      'appointment-updated',
      'appointment-canceled',
    ]);
  });

  test('books while the backend is unreachable', async () => {
    const { agent, booking, logDir } = await startDemo(await absentUrl());
    expect((await agent.post('/tools/book_appointment').send(booking)).body.ok).toBe(true);
    const lost =
      '[book_appointment] Failed to emit socket event: the emission was not accepted; the message-flow log has the reason';
    await eventually('the warning', async () =>
      (await readLog(logDir).catch(() => [])).some(({ message }) => message === lost),
    );
  });

  test('rejects requests of other pages', async () => {
    const { agent, booking } = await startDemo((await startBackend()).url);
    const stranger = await agent
      .post('/tools/book_appointment')
      .set('Origin', 'https://example.com')
      .send(booking);
    expect(stranger.status).toBe(403);
    const asked = await agent.options('/tools/book_appointment').set('Origin', PAGE);
    expect(asked.headers['access-control-allow-origin']).toBe(PAGE);
    const plain = await agent.post('/tools/book_appointment').type('text').send(JSON.stringify(booking));
    expect(plain.body.ok).toBe(false);
    expect((await agent.post('/tools/book_appointment').type('json').send('{broken')).status).toBe(400);
  });
});

describe('/demo/chat on the API', () => {
  function startPage(botUrl: string | undefined) {
    const app = express().use(
      '/demo',
      createDemoRouter({ jwtSecret: 'x'.repeat(32), timeZone: 'UTC', botUrl }),
    );
    return request(app);
  }

  test('returns the address of the bot and forwards requests to it', async () => {
    const { bot, catalogue, booking } = await startDemo((await startBackend()).url);
    const page = startPage(bot.url);
    expect((await page.get('/demo/chat')).body).toEqual({ botUrl: bot.url });
    expect((await page.get('/demo/chat/catalogue')).body).toEqual(catalogue);
    expect((await page.post('/demo/chat/tools/book_appointment').send(booking)).body).toMatchObject({
      ok: true,
    });
    const again = await page.post('/demo/chat/tools/book_appointment').send(booking);
    expect(again.body).toMatchObject({ ok: false, message: expect.stringContaining('another appointment') });
  });

  test('returns 503 if the bot is unreachable', async () => {
    const page = startPage(await absentUrl());
    const answer = await page.get('/demo/chat/catalogue');
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ ok: false, message: expect.stringContaining('not responding') });
  });

  test('rejects large bodies and other content types', async () => {
    const page = startPage(await absentUrl());
    const tool = '/demo/chat/tools/book_appointment';
    expect((await page.post(tool).send({ notes: 'x'.repeat(10_000) })).status).toBe(413);
    expect((await page.post(tool).type('text').send('{}')).status).toBe(415);
  });

  test('does not exist without a bot', async () => {
    expect((await startPage(undefined).get('/demo/chat')).status).toBe(404);
  });
});
