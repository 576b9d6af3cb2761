import { describe, expect, test } from '@jest/globals';
import { APPOINTMENT_EVENTS, EVENT_SLUGS } from '@appointment-emissions/contracts';
import { absentUrl, closeAfterEach, COMPANY, ID, json, KEY, startBackend, startBot } from './bot-world.ts';

closeAfterEach();

describe('with a healthy backend', () => {
  test.each([
    ['appointment:created', 'emitAppointmentCreated', 'appointment-created'],
    ['appointment:updated', 'emitAppointmentUpdated', 'appointment-updated'],
    ['appointment:canceled', 'emitAppointmentCanceled', 'appointment-canceled'],
  ] as const)('%s is posted with id and key, resolves to true and is logged', async (event, method, slug) => {
    const backend = await startBackend();
    const bot = startBot({ backendUrl: backend.url });

    expect(await bot[method](ID)).toBe(true);

    expect(backend.received).toHaveLength(1);
    expect(backend.received[0]).toMatchObject({
      method: 'POST',
      path: `/api/v1/internal/socket/${slug}`,
      body: { appointmentId: ID },
      headers: { 'x-api-key': KEY, 'content-type': 'application/json' },
    });
    expect(bot.lines).toEqual([
      expect.objectContaining({
        level: 'info',
        message: `Successfully emitted ${event} socket event`,
        appointmentId: ID,
        emissionId: 'e1',
        attempts: 1,
      }),
    ]);
  });

  test('a deletion is posted with the id of its company', async () => {
    const backend = await startBackend();
    const bot = startBot({ backendUrl: backend.url });
    expect(await bot.emitAppointmentDeleted({ _id: ID }, { _id: COMPANY })).toBe(true);
    expect(backend.received).toEqual([
      expect.objectContaining({
        path: '/api/v1/internal/socket/appointment-deleted',
        body: { appointmentId: ID, companyId: COMPANY },
      }),
    ]);
    expect(bot.lines).toEqual([
      expect.objectContaining({
        level: 'info',
        message: 'Successfully emitted appointment:deleted socket event',
        appointmentId: ID,
        companyId: COMPANY,
      }),
    ]);
  });

  test('every event has its route', () => {
    expect(Object.values(EVENT_SLUGS).sort()).toEqual([...APPOINTMENT_EVENTS].sort());
  });

  test('a path in backendUrl is kept', async () => {
    const backend = await startBackend();
    const bot = startBot({ backendUrl: `${backend.url}/behind/proxy/` });
    expect(await bot.emitAppointmentCreated(ID)).toBe(true);
    expect(backend.received[0]?.path).toBe('/behind/proxy/api/v1/internal/socket/appointment-created');
  });

  test('one connection serves many calls', async () => {
    const backend = await startBackend();
    const bot = startBot({ backendUrl: backend.url });
    for (let call = 0; call < 10; call += 1) expect(await bot.emitAppointmentUpdated(ID)).toBe(true);
    expect(backend.connections()).toBe(1);
  });

  test('if the backend closed an idle connection, the emission is accepted without a retry', async () => {
    const backend = await startBackend();
    const bot = startBot({ backendUrl: backend.url, maxAttempts: 1 });
    for (let call = 0; call < 5; call += 1) {
      expect(await bot.emitAppointmentUpdated(ID)).toBe(true);
      backend.server.closeIdleConnections();
    }
    expect(bot.lines.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1, 1]);
  });
});

describe('a call is false and logs the reason', () => {
  test('without an API key: a warning, and no request', async () => {
    const backend = await startBackend();
    const bot = startBot({ backendUrl: backend.url, apiKey: '  ' });
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(backend.received).toEqual([]);
    expect(bot.lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: 'Failed to emit socket event',
        reason: 'INTERNAL_SERVICE_API_KEY is not set',
      }),
    ]);
  });

  test('without an id: an error', async () => {
    const backend = await startBackend();
    const bot = startBot({ backendUrl: backend.url });
    expect(await bot.emitAppointmentCreated(undefined)).toBe(false);
    expect(await bot.emitAppointmentCreated('')).toBe(false);
    expect(backend.received).toEqual([]);
    expect(bot.lines).toHaveLength(2);
    expect(bot.lines[0]).toMatchObject({
      level: 'error',
      message: 'Failed to emit socket event',
      reason: 'no appointmentId was given',
    });
  });

  test('a deletion without a company: an error', async () => {
    const backend = await startBackend();
    const bot = startBot({ backendUrl: backend.url });
    expect(await bot.emitAppointmentDeleted(ID, undefined)).toBe(false);
    expect(await bot.emitAppointmentDeleted(ID, 'salon')).toBe(false);
    expect(await bot.emitAppointmentDeleted(undefined, COMPANY)).toBe(false);
    expect(backend.received).toEqual([]);
    expect(bot.lines.map(({ level, reason }) => [level, reason])).toEqual([
      ['error', 'no companyId was given'],
      ['error', 'companyId must be 24 hexadecimal characters, got a string of 5'],
      ['error', 'no appointmentId was given'],
    ]);
  });

  test('after an HTTP error: the status and the body', async () => {
    const problem = {
      success: false,
      code: 'APPOINTMENT_NOT_FOUND',
      status: 404,
      detail: 'no such appointment',
    };
    const backend = await startBackend((response) => {
      json(response, 404, problem);
    });
    const bot = startBot({ backendUrl: backend.url });
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(bot.lines).toEqual([
      expect.objectContaining({
        level: 'error',
        message: 'Failed to emit socket event',
        reason: 'HTTP error',
        status: 404,
        body: JSON.stringify(problem),
        event: 'appointment:created',
        appointmentId: ID,
      }),
    ]);
  });

  test('after a network error: its code and stack', async () => {
    const bot = startBot({ backendUrl: await absentUrl() });
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(bot.lines).toEqual([
      expect.objectContaining({
        level: 'error',
        message: 'Failed to emit socket event',
        reason: 'network error',
        code: 'ECONNREFUSED',
        stack: expect.stringContaining('ECONNREFUSED'),
      }),
    ]);
  });

  test('with an address that is not http(s)', async () => {
    const bot = startBot({ backendUrl: 'not an address' });
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(bot.lines[0]?.reason).toBe('BACKEND_API_URL is not an http(s) address');
  });

  test('after close()', async () => {
    const backend = await startBackend();
    const bot = startBot({ backendUrl: backend.url });
    await bot.close();
    await bot.close();
    expect(await bot.emitAppointmentCreated(ID)).toBe(false);
    expect(bot.lines[0]?.reason).toBe('closed');
  });
});

test('a reply that contains the API key is logged without it', async () => {
  const backend = await startBackend((response, { headers }) => {
    json(response, 400, { echo: headers });
  });
  const bot = startBot({ backendUrl: backend.url });
  expect(await bot.emitAppointmentCreated(ID)).toBe(false);
  expect(JSON.stringify(bot.lines)).toContain('[key]');
  expect(JSON.stringify(bot.lines)).not.toContain(KEY);
});

test('a long reply is cut after the API key was removed, so that no part of the key is logged', async () => {
  const backend = await startBackend((response) => {
    json(response, 400, 'x'.repeat(1_990) + KEY + 'y'.repeat(5_000));
  });
  const bot = startBot({ backendUrl: backend.url });
  expect(await bot.emitAppointmentCreated(ID)).toBe(false);
  expect(bot.lines[0]?.['body']).toBe(`"${'x'.repeat(1_990)}[key]yyyy`);
});
