import { Agent, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import type { Company } from '../harness/documents.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';

/** Promised: both processes end within 10 s with the default drain. */
const PROMISED_MS = 10_000;

let world: World;
let company: Company;
let appointmentId: string;
beforeAll(async () => {
  world = await createWorld();
  company = await world.documents.company();
  appointmentId = await company.appointment();
});
afterAll(() => world.close());

/** A request whose body is held back until the test sends it, so that it stays in progress. */
function openRequest(url: string, agent?: Agent) {
  const body = JSON.stringify({ appointmentId });
  const request = httpRequest(`${url}/api/v1/internal/socket/appointment-created`, {
    method: 'POST',
    agent: agent ?? false,
    headers: {
      'content-type': 'application/json',
      'content-length': body.length,
      'x-api-key': API_KEY,
      expect: '100-continue',
    },
  });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
  });
  const underWay = once(request, 'continue');
  request.flushHeaders();
  return {
    underWay,
    finish(): Promise<number | undefined> {
      request.end(body);
      return until('the answer', answered);
    },
  };
}

test('a request in progress is answered when the API closes', async () => {
  const api = await world.api();
  const open = openRequest(api.url);
  await open.underWay;
  const closing = api.close();
  expect(await open.finish()).toBe(202);
  await until('the API to close', closing, PROMISED_MS);
});

test('while the API drains it is not ready, still answers, and keeps no connection alive', async () => {
  const api = await world.api({ SHUTDOWN_DRAIN_MS: '1000' });
  const dashboard = await world.dashboard(api, company.companyId);
  const closing = api.close();
  const ready = await fetch(`${api.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ status: 'not ready', draining: true });
  expect(ready.headers.get('connection')).toBe('close');
  expect((await fetch(`${api.url}/livez`)).status).toBe(200);
  expect((await world.post(api, 'appointment-created', { appointmentId })).status).toBe(202);
  expect(dashboard.socket.connected).toBe(true);

  await until('the API to close', closing, PROMISED_MS);
  await expect(fetch(`${api.url}/livez`)).rejects.toThrow();
});

test('a drain may last longer than the end after it: everything still works until it is over', async () => {
  const api = await world.api({ SHUTDOWN_DRAIN_MS: '1500' }, { SHUTDOWN_DEADLINE_MS: 1_000 });
  const closing = api.close();
  let last: unknown;
  await eventually('the API to stop listening', async () => {
    const response = await fetch(`${api.url}/readyz`).catch(() => undefined);
    if (response) last = await response.json();
    return !response;
  });
  expect(last).toMatchObject({ draining: true, checks: { redis: true } });
  await until('the API to close', closing, PROMISED_MS);
});

test('a dashboard whose gateway shuts down is disconnected at once, and connects to another one', async () => {
  const api = await world.api();
  const port = new URL(api.url).port;
  const dashboard = await world.dashboard(api, company.companyId, {
    socketOptions: { reconnectionDelay: 50, reconnectionDelayMax: 100 },
  });
  const disconnected = once(dashboard.socket as never, 'disconnect');
  await api.close();
  await until('the dashboard to be disconnected', disconnected);
  const connected = once(dashboard.socket as never, 'connect');
  await world.api({ PORT: port });
  await until('the dashboard to be connected again', connected);
});

test('SIGTERM: the process exits with 0 in time, whichever connections are open', async () => {
  const api = await world.apiProcess({ SHUTDOWN_DRAIN_MS: '1000' });
  const agent = new Agent({ keepAlive: true });
  const held = openRequest(api.url);
  const websocket = io(api.url, {
    forceNew: true,
    transports: ['websocket'],
    reconnection: false,
    auth: { token: await world.token(company.companyId) },
  });
  const polling = io(api.url, {
    forceNew: true,
    transports: ['polling'],
    reconnection: false,
    auth: { token: await world.token(company.companyId) },
  });
  const silent = connect(Number(new URL(api.url).port), 'localhost');
  silent.on('error', () => undefined);
  const silentIsOpen = once(silent, 'connect');
  try {
    await openRequest(api.url, agent).finish(); // leaves a connection that is kept alive
    await Promise.all([
      held.underWay,
      silentIsOpen,
      eventually('both sockets to be connected', () => websocket.connected && polling.connected),
    ]);

    const startedAt = Date.now();
    api.kill('SIGTERM');
    await eventually('the process to drain', async () => (await fetch(`${api.url}/readyz`)).status === 503);
    expect(await held.finish()).toBe(202);
    expect(await until('the process to end', api.exited, PROMISED_MS)).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(PROMISED_MS);
  } finally {
    agent.destroy();
    silent.destroy();
    websocket.close();
    polling.close();
  }
});
