import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { connectDashboard, type Dashboard, fetchAppointments } from '@appointment-emissions/dashboard';
import { createToolHandlers } from '@appointment-emissions/bot';
import { createBookingService } from '../../demo/booking-service.ts';
import { eventually } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { absentUrl, closeAfterEach, later, startBot } from './bot-world.ts';

closeAfterEach();

let world: World;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '500' } });
  world.worker();
});
afterAll(() => world.close());

const open: Dashboard[] = [];
afterEach(() => {
  for (const dashboard of open.splice(0)) dashboard.close();
});

/** A dashboard that uses the library as the page does. `created` has the ids of received emissions by appointment. */
function openDashboard(url: string, companyId: string) {
  const now = Date.now();
  const dashboard = connectDashboard({
    url,
    getToken: () => world.token(companyId),
    loadSnapshot: (token) =>
      fetchAppointments({ url, token, from: new Date(now), to: new Date(now + 60 * 86_400_000) }),
    timings: { reconnectMs: 100, longestReconnectMs: 500, reloadMs: 100, longestReloadMs: 500 },
  });
  open.push(dashboard);
  const created = new Map<string, Set<string>>();
  dashboard.on('appointment:created', ({ appointment: { _id } }, { emissionId }) => {
    // An emission may come live and again in a replay, with a newer snapshot.
    created.set(_id, (created.get(_id) ?? new Set()).add(emissionId));
  });
  return { dashboard, created };
}

/** A proxy before the API that forwards POSTs and drops the replies. WebSockets pass. */
async function startLossyProxy(apiUrl: string) {
  const answers: { key: unknown; body: { emissionId?: string } }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const key = String(request.headers['idempotency-key']);
      const answer = await fetch(`${apiUrl}${request.url}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': API_KEY, 'idempotency-key': key },
        body: Buffer.concat(chunks).toString(),
      });
      answers.push({ key, body: (await answer.json()) as { emissionId?: string } });
      response.destroy();
    })();
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('upgrade', (request: IncomingMessage, client: Socket, head: Buffer) => {
    const upstream = connect(Number(new URL(apiUrl).port), 'localhost');
    sockets.add(upstream);
    const { rawHeaders } = request;
    const headers = rawHeaders.map((value, at) => (at % 2 === 0 ? `${value}: ` : `${value}\r\n`)).join('');
    upstream.write(`GET ${request.url} HTTP/1.1\r\n${headers}\r\n`);
    upstream.write(head);
    upstream.pipe(client).pipe(upstream);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  later(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, answers };
}

describe('with the API and a worker', () => {
  test('the three events reach the dashboard, over HTTP', async () => {
    const api = await world.api();
    const company = await world.documents.company();
    const appointmentId = await company.appointment();
    const { dashboard } = openDashboard(api.url, company.companyId);
    const received: string[] = [];
    for (const event of ['appointment:created', 'appointment:updated', 'appointment:canceled'] as const) {
      dashboard.on(event, () => void received.push(event));
    }
    await eventually('the dashboard to be live', () => dashboard.state === 'live');
    const bot = startBot({ backendUrl: api.url, apiKey: API_KEY });
    expect(await bot.emitAppointmentCreated(appointmentId)).toBe(true);
    expect(await bot.emitAppointmentUpdated(appointmentId)).toBe(true);
    expect(await bot.emitAppointmentCanceled(appointmentId)).toBe(true);
    await eventually('three events', () => received.length === 3);
    expect(await bot.emitAppointmentCreated('000000000000000000000000')).toBe(false);
    expect(bot.lines.at(-1)).toMatchObject({ status: 404, attempts: 1 });
  });

  test('if all HTTP replies are lost, the socket gets the same emission, which is shown once', async () => {
    const api = await world.api();
    const proxy = await startLossyProxy(api.url);
    const company = await world.documents.company();
    const appointmentId = await company.appointment();
    const { dashboard, created } = openDashboard(api.url, company.companyId);
    await eventually('the dashboard to be live', () => dashboard.state === 'live');

    const bot = startBot({ backendUrl: proxy.url, apiKey: API_KEY, socketFallback: true, maxAttempts: 3 });
    expect(await bot.emitAppointmentCreated(appointmentId)).toBe(true);
    expect(bot.lines.at(-1)).toMatchObject({ level: 'info', via: 'socket' });
    const { emissionId } = bot.lines.at(-1)!;
    expect(proxy.answers).toHaveLength(3);
    expect(new Set(proxy.answers.map(({ body }) => body.emissionId))).toEqual(new Set([emissionId]));

    // After another emission, everything about the first has been received.
    const next = await company.appointment();
    expect(await bot.emitAppointmentCreated(next)).toBe(true);
    await eventually('the next emission', () => created.has(next));
    expect(created).toEqual(
      new Map([
        [appointmentId, new Set([emissionId])],
        [next, new Set([bot.lines.at(-1)!.emissionId])],
      ]),
    );
  });

  test('a batch reaches the dashboard over the socket', async () => {
    const api = await world.api();
    const proxy = await startLossyProxy(api.url);
    const company = await world.documents.company();
    const ids = await Promise.all(Array.from({ length: 40 }, () => company.appointment()));
    const { dashboard, created } = openDashboard(api.url, company.companyId);
    await eventually('the dashboard to be live', () => dashboard.state === 'live');
    const bot = startBot({ backendUrl: proxy.url, apiKey: API_KEY, socketFallback: true, maxAttempts: 1 });
    const batch = ids.map((appointmentId) => ({ event: 'appointment:created' as const, appointmentId }));
    // False if the database is slow.
    await eventually('an accepted batch', () => bot.emitBatch(batch));
    await eventually('all of them', () => created.size === ids.length);
  });
});

test('a bot books while the API is killed and restarted: each booking is shown, once', async () => {
  const port = new URL(await absentUrl()).port;
  const startApi = () => world.apiProcess({ PORT: port });
  let api = await startApi();
  const company = await world.documents.company();
  const { dashboard, created } = openDashboard(api.url, company.companyId);
  await eventually('the dashboard to be live', () => dashboard.state === 'live');

  const bot = startBot({ backendUrl: api.url, apiKey: API_KEY, socketFallback: true });
  const bookings = createBookingService({
    connection: world.documents.models.Appointment.db,
    companyId: company.companyId,
  });
  const handlers = createToolHandlers({ bookings, realtime: bot, logger: { messageFlow: () => undefined } });
  later(() => handlers.close());
  const booked: string[] = [];
  let inDoubt = 0;
  let isOver = false;
  const first = Math.ceil(Date.now() / 86_400_000) * 86_400_000;
  async function bookOn(): Promise<void> {
    for (let n = 0; !isOver; n += 1) {
      const { ok, appointment } = await handlers.handle('book_appointment', {
        customerId: String(company.customer._id),
        petId: String(company.pet._id),
        serviceId: String(company.service._id),
        staffId: String(company.staff._id),
        start: new Date(first + n * 300_000).toISOString(),
        durationMinutes: 5,
      });
      if (ok) booked.push(appointment!.appointmentId);
      // MongoDB is too slow on a busy machine: the appointment may be saved.
      else inDoubt += 1;
    }
  }
  const booking = bookOn();
  const more = (count: number) => {
    const enough = booked.length + count;
    return eventually(`${count} more bookings`, () => booked.length >= enough);
  };
  for (let kill = 0; kill < 2; kill += 1) {
    await more(30);
    await api.stop();
    await more(30);
    api = await startApi();
  }
  await more(20);
  isOver = true;
  await booking;
  await handlers.close();

  // Some bookings were not accepted. The sweep finds them.
  expect(bot.lines.some(({ level }) => level === 'info')).toBe(true);
  expect(bot.lines.some(({ level }) => level === 'error')).toBe(true);
  const missing = () => booked.filter((id) => !dashboard.appointments.has(id));
  await eventually('every booking to be on the screen', () => missing().length === 0, 40_000);
  await eventually('the dashboard to be live', () => dashboard.state === 'live');
  expect(dashboard.appointments.size).toBeGreaterThanOrEqual(booked.length);
  expect(dashboard.appointments.size).toBeLessThanOrEqual(booked.length + inDoubt);
  // A worker runs the jobs of a killed API within 20 s. The sweep can announce their bookings before.
  const ofCalls = [...created.values()].map((ids) => [...ids].filter((id) => !id.startsWith('sweep-')));
  expect(ofCalls.filter(({ length }) => length > 1)).toEqual([]);
});
