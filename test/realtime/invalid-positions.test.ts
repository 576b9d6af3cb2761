import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import type { PositionUpdate, StreamPosition } from '@appointment-emissions/contracts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { until } from '../harness/until.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { INVALID_POSITIONS } from './invalid-positions.ts';

let world: World;
let api: RunningApi;
let company: Company;
let head: PositionUpdate;
beforeAll(async () => {
  world = await createWorld({ limits: { MAX_CATCH_UPS_PER_SECOND: 100 } });
  api = await world.ready(world.api());
  company = await world.documents.company();
  world.worker();
  await world.jobIn(await world.emit(api, 'appointment-updated', await company.appointment()), 'completed');
  head = (await world.dashboard(api, company.companyId)).positions[0]!;
});
afterAll(() => world.close());

const send = (socket: Socket, event: string, ...args: unknown[]): Promise<Record<string, unknown>> =>
  until(`an answer to ${event}`, new Promise((resolve) => socket.emit(event, ...args, resolve)));

test('a dashboard without a position need not load the list', () => {
  expect(head).toEqual({ epoch: head.epoch, offset: 1, recovered: true });
});

test.each(INVALID_POSITIONS)('a dashboard that connects with %s must load the list', async (_, position) => {
  const { positions } = await world.dashboard(api, company.companyId, {
    socketOptions: { auth: { token: await world.token(company.companyId), position } },
  });
  expect(positions[0]).toEqual({ epoch: head.epoch, offset: 1, recovered: false, reason: 'invalid' });
});

test.each<[string, () => StreamPosition]>([
  ['an offset just beyond the head', () => ({ epoch: head.epoch, offset: 2 })],
  ['an absurd offset', () => ({ epoch: head.epoch, offset: 1e15 })],
  ['the largest offset', () => ({ epoch: head.epoch, offset: Number.MAX_SAFE_INTEGER })],
  ['a forged epoch', () => ({ epoch: 'x'.repeat(16), offset: 1 })],
  ['a forged epoch and an absurd offset', () => ({ epoch: 'x'.repeat(64), offset: 1e15 })],
])('a dashboard with %s must load the list, and continues at the position it then gets', async (_, from) => {
  const { socket, positions } = await world.dashboard(api, company.companyId, { position: from() });
  const reload = { epoch: head.epoch, offset: 1, recovered: false, reason: 'epoch' };
  expect(positions[0]).toEqual(reload);
  expect(await send(socket, 'emissions:catch-up', from())).toEqual(reload);
  const { epoch, offset } = positions[0]!;
  expect(await send(socket, 'emissions:catch-up', { epoch, offset })).toEqual({ ...head, recovered: true });
  const back = await world.dashboard(api, company.companyId, { position: { epoch, offset } });
  expect(back.positions[0]).toEqual({ ...head, recovered: true });
});

test('a catch-up from anything but one position is answered, and never as recovered', async () => {
  const { socket } = await world.dashboard(api, company.companyId);
  const place = { epoch: head.epoch, offset: 0 };
  const invalid = { epoch: head.epoch, offset: 1, recovered: false, reason: 'invalid' };
  for (const [, position] of INVALID_POSITIONS) {
    expect(await send(socket, 'emissions:catch-up', position)).toEqual(invalid);
  }
  expect(await send(socket, 'emissions:catch-up')).toEqual(invalid);
  expect(await send(socket, 'emissions:catch-up', place, place)).toEqual(invalid);
  expect(await send(socket, 'emissions:catch-up', undefined, place)).toEqual(invalid);
  expect(await send(socket, 'emissions:catch-up', { ...place, more: 1 })).toMatchObject({ recovered: true });
  socket.emit('emissions:catch-up');
  socket.emit('emissions:catch-up', () => undefined, place);
  expect(await send(socket, 'emissions:catch-up', place)).toMatchObject({ offset: 1, recovered: true });
});

test('a catch-up above the rate limit is answered as not recovered, also with an invalid position', async () => {
  const limited = await world.api({}, { MAX_CATCH_UPS_PER_SECOND: 1 });
  const { socket } = await world.dashboard(limited, company.companyId);
  for (let sent = 0; sent < 10; sent += 1) await send(socket, 'emissions:catch-up', 'x');
  expect(await send(socket, 'emissions:catch-up', 'x')).toMatchObject({
    recovered: false,
    reason: 'rate-limited',
  });
});

test('a report of a shown emission is acknowledged on request, and refused if it is invalid', async () => {
  const { socket } = await world.dashboard(api, company.companyId);
  const seen = { emissionId: 'x', acceptedAt: new Date().toISOString() };
  expect(await send(socket, 'emissions:seen', seen)).toEqual({ ok: true });
  for (const args of [[], [null], ['x'], [{}], [seen, seen], [{ ...seen, acceptedAt: 1 }]]) {
    expect(await send(socket, 'emissions:seen', ...args)).toMatchObject({
      ok: false,
      code: 'INVALID_REQUEST',
    });
  }
});

test('a service that emits anything but one request is answered 400', async () => {
  const socket = io(`${api.url}/internal`, { forceNew: true, auth: { apiKey: API_KEY } });
  world.keep(socket, () => socket.close());
  const request = { event: 'appointment:updated', appointmentId: 'a'.repeat(24) };
  for (const args of [[], [null], ['x'], [[]], [1, request], [request, request], [request, 'x'], [{}]]) {
    expect(await send(socket, 'emit', ...args)).toMatchObject({ status: 400, success: false });
  }
  expect(await send(socket, 'emit', request)).toMatchObject({ status: 404 });
});
