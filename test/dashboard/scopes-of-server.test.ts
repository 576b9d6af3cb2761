import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import { connectDashboard, type Dashboard, fetchAppointments } from '@appointment-emissions/dashboard';
import type { RunningApi } from '../../src/api/start-api.ts';
import { eventually } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { admin } from '../operate/admin.ts';

const HIDE = ['customerId.email', 'customerId.phone'];

let world: World;
let api: RunningApi;
const opened: Dashboard[] = [];
beforeAll(async () => {
  world = await createWorld({ env: { ADMIN_WRITES: 'on', RECONCILE_INTERVAL_MS: '0' } });
  api = await world.ready(world.api());
  world.worker();
});
afterEach(() => {
  for (const dashboard of opened.splice(0)) dashboard.close();
});
afterAll(() => world.close());

/** A company with two groomers. The second one has no appointments yet. */
async function salon() {
  const company = await world.documents.company();
  const other = { ...company.staff, _id: new Types.ObjectId(), fullName: 'Noa Stern' };
  await world.documents.models.Staff.collection.insertOne(other);
  return { ...company, own: company.staff._id, other: other._id };
}

/** Signs a token with `iat`, so that the library knows its lifetime. Neither time is rounded, since the lifetime is short. */
function sign(companyId: string, staffId: Types.ObjectId, lifetimeS: number): Promise<string> {
  const now = Date.now() / 1_000;
  const scope = { staffId: staffId.toHexString(), hide: HIDE };
  return world.token(companyId, lifetimeS + (now % 1), { sub: 'a-user', iat: now, scope });
}

/** A live dashboard of the library, what it emits, and how often it loads the list. */
async function openScreen(getToken: () => Promise<string>) {
  let lists = 0;
  const states: string[] = [];
  const emitted: string[] = [];
  const problems: unknown[] = [];
  const range = { from: new Date(Date.now() - 86_400_000), to: new Date(Date.now() + 86_400_000) };
  const dashboard = connectDashboard({
    url: api.url,
    getToken,
    loadSnapshot: (token) => {
      lists += 1;
      return fetchAppointments({ url: api.url, token, ...range });
    },
    socketOptions: { transports: ['websocket'] },
    timings: { reconnectMs: 20, catchUpMs: 20 },
  });
  opened.push(dashboard);
  let wasStale = false;
  dashboard.on('state', (state, reason) => {
    // On a busy machine MongoDB can be too slow for a while: the state is then stale, and live again.
    const isOfSlowMongo = state === 'stale' || (state === 'live' && wasStale);
    wasStale = state === 'stale';
    if (!isOfSlowMongo) states.push(reason ? `${state} ${reason}` : state);
  });
  dashboard.on('problem', (problem) => problems.push(problem));
  dashboard.on('appointment:created', ({ appointment }) => emitted.push(`shown ${appointment._id}`));
  dashboard.on('appointment:updated', ({ appointment }) => emitted.push(`shown ${appointment._id}`));
  dashboard.on('appointment:deleted', ({ appointment, reason }) =>
    emitted.push(`removed ${appointment._id} ${reason ?? ''}`),
  );
  await eventually('the state live', () => dashboard.state === 'live');
  states.length = 0;
  return {
    dashboard,
    states,
    emitted,
    problems,
    lists: () => lists,
    ids: () => [...dashboard.appointments.keys()],
  };
}

test('the screen of a groomer shows only their own appointments, stays live, and requests no catch-up', async () => {
  const { companyId, own, other, appointment, change } = await salon();
  const [mine, theirs] = [await appointment(), await appointment({ staffId: other })];
  const { dashboard, states, emitted, problems, lists, ids } = await openScreen(() =>
    sign(companyId, own, 600),
  );
  expect(ids()).toEqual([mine]);
  for (let count = 0; count < 10; count += 1) await world.emit(api, 'appointment-updated', theirs);
  await world.emit(api, 'appointment-updated', mine);
  await eventually('the position', () => dashboard.position?.offset === 11);
  await change(mine, { staffId: other });
  await world.emit(api, 'appointment-updated', mine);
  await eventually('the removal', () => emitted.includes(`removed ${mine} out-of-scope`));
  expect(ids()).toEqual([]);
  await change(theirs, { staffId: own });
  await world.emit(api, 'appointment-updated', theirs);
  await eventually('the appointment that enters', () => ids().join() === theirs);
  const [shown] = [...dashboard.appointments.values()];
  expect(shown?.appointment.customerId).toMatchObject({ fullName: 'Ann Bauer', email: null, phone: null });
  expect([states, problems, lists()]).toEqual([[], [], 1]);
});

test('a renewed token with another scope changes the screen over the same connection', async () => {
  const { companyId, own, other, appointment } = await salon();
  const [mine, theirs] = [await appointment(), await appointment({ staffId: other })];
  const given: string[] = [];
  const { dashboard, states, problems, lists, ids } = await openScreen(async () => {
    given.push(given.length === 0 ? await sign(companyId, own, 3) : await sign(companyId, other, 600));
    return given.at(-1)!;
  });
  expect(ids()).toEqual([mine]);
  await eventually('the other screen', () => ids().join() === theirs);
  await eventually('the state live', () => states.length > 0 && dashboard.state === 'live');
  expect(states.filter((state) => state === 'connecting' || state === 'disconnected')).toEqual([]);
  expect([states[0], problems, lists(), given.length]).toEqual(['reload-needed scope', [], 2, 2]);
});

test('a user whom an operator disconnects stays disconnected until getToken resolves again', async () => {
  const { companyId, own } = await salon();
  let isSignedIn = true;
  const { dashboard, states } = await openScreen(() =>
    isSignedIn ? sign(companyId, own, 600) : Promise.reject(new Error('signed out')),
  );
  isSignedIn = false;
  const { body } = await admin(api, 'disconnect', { companyId, userId: 'a-user' });
  expect(body).toMatchObject({ matched: 1 });
  await eventually('the end of the connection', () => dashboard.state === 'disconnected');
  isSignedIn = true;
  await eventually('the connection', () => dashboard.state === 'live');
  expect(states).toEqual(['disconnected', 'catching-up', 'live']);
});
