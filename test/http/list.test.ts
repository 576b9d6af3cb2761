import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import request from 'supertest';
import type { AppointmentList } from '@appointment-emissions/contracts';
import {
  createDashboardRoutes,
  type CompanyRange,
  viewerOfToken,
} from '../../src/http/routes/dashboard-routes.ts';
import { createCompanyTurns } from '../../src/access/company-turns.ts';
import type { RunningApi } from '../../src/api/start-api.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { problemOf } from './internal.ts';

const LIST = '/api/v1/dashboard/appointments';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PAGE = 'https://calendar.example.com';

let world: World;
let api: RunningApi;
let company: Company;
let token: string;
beforeAll(async () => {
  world = await createWorld({ env: { CORS_ORIGIN: PAGE, RECONCILE_INTERVAL_MS: '0' } });
  api = await world.api();
  company = await world.documents.company();
  token = await world.token(company.companyId);
});
afterAll(() => world.close());

const requestList = (query: Record<string, string> = {}, bearer = token) =>
  request(api.url).get(LIST).query(query).set('authorization', `Bearer ${bearer}`);
async function list(query: Record<string, string> = {}, bearer = token): Promise<AppointmentList> {
  const { body } = await requestList(query, bearer).expect(200);
  return body as AppointmentList;
}
const ids = ({ appointments }: AppointmentList) => appointments.map(({ appointment }) => appointment._id);
const at = (ms: number) => new Date(ms);

describe('the list requires a token', () => {
  test.each([
    ['no token', ''],
    ['a token of another secret', 'eyJhbGciOiJIUzI1NiJ9.eyJjb21wYW55SWQiOiJ4In0.c2lnbmF0dXJl'],
  ])('%s is refused', async (_, bearer) => {
    const response = await requestList({}, bearer).expect(401);
    expect(response.body).toEqual(problemOf(401, 'TOKEN_INVALID'));
  });

  test('an expired token, or a token in another place, is refused', async () => {
    await requestList({}, await world.token(company.companyId, -1)).expect(401);
    await request(api.url).get(LIST).query({ token }).expect(401);
    await request(api.url).get(LIST).set('authorization', `Basic ${token}`).expect(401);
  });

  test('a company gets its own appointments, whatever the query contains, and never another company’s', async () => {
    const [one, other] = [await world.documents.company(), await world.documents.company()];
    const [ours, theirs] = [await one.appointment(), await other.appointment()];
    const bearer = await world.token(one.companyId);
    expect(ids(await list({}, bearer))).toEqual([ours]);
    expect(ids(await list({ companyId: other.companyId }, bearer))).toEqual([ours]);
    expect(ids(await list({}, await world.token(other.companyId)))).toEqual([theirs]);
  });

  test('pages of a listed origin may read the list, others may not', async () => {
    const listed = await requestList().set('origin', PAGE).expect(200);
    expect(listed.headers['access-control-allow-origin']).toBe(PAGE);
    const preflight = await request(api.url)
      .options(LIST)
      .set('origin', PAGE)
      .set('access-control-request-headers', 'authorization')
      .expect(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-headers': 'authorization',
    });
    const other = await requestList().set('origin', 'https://calendar.example.com.evil.example').expect(200);
    expect(other.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('the range', () => {
  let many: Company;
  let bearer: string;
  const from = Date.UTC(2027, 2, 1);
  const to = from + DAY_MS;
  const range = (start: number, end: number) => ({
    from: at(start).toISOString(),
    to: at(end).toISOString(),
  });
  beforeAll(async () => {
    many = await world.documents.company();
    bearer = await world.token(many.companyId);
  });

  test('includes its start and excludes its end', async () => {
    const [, first, last] = await Promise.all(
      [from - 1, from, to - 1, to].map((start) => many.appointment({ start: at(start) })),
    );
    expect(ids(await list(range(from, to), bearer))).toEqual([first, last]);
  });

  test('is today and seven days around it by default', async () => {
    const today = Date.now() - (Date.now() % DAY_MS);
    const inside = [today - 7 * DAY_MS, today + 8 * DAY_MS - 1];
    const outside = [today - 7 * DAY_MS - 1, today + 8 * DAY_MS];
    const [first, last] = await Promise.all(
      [...inside, ...outside].map((start) => many.appointment({ start: at(start) })),
    );
    expect(ids(await list({}, bearer))).toEqual([first, last]);
  });

  test('may be 62 days, also as plain dates and with an offset', async () => {
    await requestList(range(from, from + 62 * DAY_MS), bearer).expect(200);
    await requestList({ from: '2027-03-01', to: '2027-03-02' }, bearer).expect(200);
    expect(
      ids(await list({ from: '2027-03-01T01:00:00+01:00', to: '2027-03-02T00:00Z' }, bearer)),
    ).toHaveLength(2);
  });

  test.each([
    ['62 days and a millisecond', range(from, from + 62 * DAY_MS + 1)],
    ['an end before its beginning', range(to, from)],
    ['an end at its beginning', range(from, from)],
    ['no dates', { from: 'yesterday' }],
    ['a day that does not exist', { from: '2027-13-45' }],
    ['a 29 February of a common year', { from: '2027-02-29', to: '2027-03-02' }],
    ['a number', { to: '1800000000000' }],
    ['a date without its offset', { from: '2027-03-01T10:00:00' }],
    ['two beginnings', { from: ['2027-03-01', '2027-03-02'] as unknown as string }],
  ])('of %s is 400', async (_, query) => {
    const response = await requestList(query, bearer).expect(400);
    expect(response.body).toEqual(problemOf(400, 'INVALID_RANGE'));
  });

  test.each([
    ['the first day', { from: '1970-01-01' }],
    ['the last day', { from: '9999-12-31' }],
    ['the last weeks', { from: '9999-11-01', to: '9999-12-31T23:59:59.999Z' }],
    ['a leap day', { from: '2028-02-29', to: '2028-03-01' }],
    ['lower case', { from: '2027-05-01t00:00:00z', to: '2027-05-02t00:00:00z' }],
  ])('may be of %s', async (_, query) => {
    expect(ids(await list(query, bearer))).toEqual([]);
  });

  test('has an error message with the valid form', async () => {
    const { body } = await requestList({ from: '2027-02-29' }, bearer).expect(400);
    expect((body as { detail: string }).detail).toMatch(/from must be one date, .*2026-11-23T00:00:00Z/);
  });
});

describe('the list and the events', () => {
  test('the list has the company’s position, and each complete snapshot has its own', async () => {
    const mine = await world.documents.company();
    const appointmentId = await mine.appointment();
    const bearer = await world.token(mine.companyId);
    const response = await requestList({}, bearer).expect(200);
    expect(response.headers['cache-control']).toBe('no-store');
    expect(response.body).toEqual({
      epoch: expect.stringMatching(/^[\w-]{16}$/),
      offset: 0,
      appointments: [{ appointment: expect.any(Object), offset: 0, read: 1 }],
    });
    const [{ appointment }] = (response.body as AppointmentList).appointments as [
      AppointmentList['appointments'][number],
    ];
    expect(appointment).toMatchObject({
      _id: appointmentId,
      companyId: mine.companyId,
      customerId: { fullName: 'Ann Bauer' },
      serviceItemId: { price: 55.5 },
      status: 'scheduled',
    });
  });

  test('a list, an emission and another list are ordered by (offset, read)', async () => {
    const mine = await world.documents.company();
    const appointmentId = await mine.appointment();
    const bearer = await world.token(mine.companyId);
    const worker = world.worker();
    const dashboard = await world.dashboard(api, mine.companyId);

    const before = await list({}, bearer);
    const first = await world.emit(api, 'appointment-updated', appointmentId);
    const { meta } = await dashboard.receive((received) => received.meta.emissionId === first);
    const after = await list({}, bearer);
    const second = await world.emit(api, 'appointment-updated', appointmentId);
    const next = await dashboard.receive((received) => received.meta.emissionId === second);

    const order = [
      { offset: before.appointments[0]!.offset, read: before.appointments[0]!.read },
      { offset: meta.offset, read: meta.read },
      { offset: after.appointments[0]!.offset, read: after.appointments[0]!.read },
      { offset: next.meta.offset, read: next.meta.read },
    ];
    expect(order).toEqual([
      { offset: 0, read: 1 },
      { offset: 1, read: 0 },
      { offset: 1, read: 2 },
      { offset: 2, read: 0 },
    ]);
    expect(new Set([before.epoch, meta.epoch, after.epoch, next.meta.epoch]).size).toBe(1);
    await worker.close();
  });
});

describe('dashboards that load at the same time', () => {
  test('share one read for equal lists only', async () => {
    const reads: CompanyRange[] = [];
    let letGo: (list: AppointmentList) => void = () => undefined;
    const held = new Promise<AppointmentList>((resolve) => (letGo = resolve));
    const routes = createDashboardRoutes({
      viewerOf: viewerOfToken((bearer) => Promise.resolve({ companyId: String(bearer) })),
      list: (wanted) => {
        reads.push(wanted);
        return held;
      },
      turns: createCompanyTurns(),
    });
    const listOf = (companyId: string, query: Record<string, string>) =>
      new Promise((resolve) => {
        const req = { method: 'GET', url: '/appointments', query, get: () => `Bearer ${companyId}` };
        const res = { set: () => res, type: () => res, send: resolve };
        routes(req as never, res as never, resolve);
      });
    const day = { from: '2027-03-01', to: '2027-03-02' };
    const answers = Promise.all([
      ...Array.from({ length: 20 }, () => listOf('one', day)),
      ...Array.from({ length: 20 }, () => listOf('two', day)),
      listOf('one', { ...day, to: '2027-03-03' }),
    ]);
    letGo({ epoch: 'e', offset: 0, appointments: [] });
    for (const answer of await answers)
      expect(JSON.parse(String(answer))).toEqual({ epoch: 'e', offset: 0, appointments: [] });
    expect(reads.map(({ companyId }) => companyId)).toEqual(['one', 'two', 'one']);
  });

  test('a list is not read if all that requested it have disconnected', async () => {
    const reads: CompanyRange[] = [];
    const turns = createCompanyTurns();
    const routes = createDashboardRoutes({
      viewerOf: () => Promise.resolve({ companyId: 'one' }),
      list: (wanted) => {
        reads.push(wanted);
        return Promise.resolve({ epoch: 'e', offset: 0, appointments: [] });
      },
      turns,
    });
    const sent: string[] = [];
    const request = (to: string, name: string) => {
      const req = { method: 'GET', url: '/appointments', query: { from: '2027-03-01', to } };
      const res = { destroyed: false, set: () => res, type: () => res, send: () => sent.push(name) };
      routes(req as never, res as never, () => sent.push('error'));
      return res;
    };
    let letGo: () => void = () => undefined;
    const earlier = turns.read('list', 'one', () => new Promise<void>((resolve) => (letGo = resolve)));
    const [gone, left] = [request('2027-03-02', 'gone'), request('2027-03-03', 'left')];
    request('2027-03-03', 'stays');
    gone.destroyed = left.destroyed = true;
    await nextTurn();
    letGo();
    await earlier;
    await eventually('the answer', () => sent.includes('stays'));
    expect(reads.map(({ to }) => new Date(to).toISOString().slice(0, 10))).toEqual(['2027-03-03']);
    expect(sent).not.toContain('error');
  });
});
