import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { configureStore } from '@reduxjs/toolkit';
import { createApi, fakeBaseQuery, fetchBaseQuery, type FetchBaseQueryError } from '@reduxjs/toolkit/query';
import { connectDashboard, type AppointmentList } from '@appointment-emissions/dashboard';
import {
  type AppointmentsOptions,
  type CachedAppointments,
  followAppointments,
  invalidateOnChange,
} from '@appointment-emissions/dashboard/rtk-query';
import { eventually, until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { listAt } from './dashboard-world.ts';
import { startScriptedServer } from './scripted-server.ts';

const RANGE = { from: '2026-11-23T00:00:00Z', to: '2026-11-24T00:00:00Z' };
const TRANSPORTS = { transports: ['websocket'] };
const closing: (() => unknown)[] = [];
let complaints: unknown[];
const consoleError = console.error;
beforeEach(() => {
  complaints = [];
  // Redux Toolkit reports here what it cannot serialize, and state that was modified.
  console.error = (...args) => void complaints.push(args);
});
afterEach(async () => {
  console.error = consoleError;
  for (const close of closing.splice(0).reverse()) await close();
  expect(complaints).toEqual([]);
});

/** A Redux store with one endpoint, as an application would have it. */
function createStore(options: Omit<AppointmentsOptions, 'from' | 'to'>) {
  const api = createApi({
    baseQuery: fakeBaseQuery<{ message: string }>(),
    tagTypes: ['Appointment'],
    keepUnusedDataFor: 0,
    endpoints: (build) => ({
      appointments: build.query<CachedAppointments, { from: string; to: string }>(
        followAppointments((range) => ({ socketOptions: TRANSPORTS, ...options, ...range })),
      ),
      count: build.query<number, undefined>({
        queryFn: () => ({ data: (counted += 1) }),
        providesTags: [{ type: 'Appointment', id: 'LIST' }],
      }),
    }),
  });
  let counted = 0;
  const store = configureStore({
    reducer: { [api.reducerPath]: api.reducer },
    middleware: (defaults) => defaults().concat(api.middleware),
  });
  closing.push(() => store.dispatch(api.util.resetApiState()));
  const query = store.dispatch(api.endpoints.appointments.initiate(RANGE));
  return {
    api,
    store,
    query,
    get data() {
      return api.endpoints.appointments.select(RANGE)(store.getState()).data;
    },
    get counted() {
      return counted;
    },
  };
}

async function openWorld(): Promise<World> {
  const world = await createWorld();
  closing.push(() => world.close());
  return world;
}

test('a cache entry follows the events of a real API', async () => {
  const world = await openWorld();
  const api = await world.ready(world.api());
  world.worker();
  const company = await world.documents.company();
  const id = await company.appointment({ start: new Date('2026-11-23T10:00:00Z') });
  const token = await world.token(company.companyId);
  const cache = createStore({ url: api.url, getToken: () => Promise.resolve(token) });
  await eventually('a live entry', () => cache.data?.state === 'live');
  expect(cache.data).toMatchObject({ appointments: [{ _id: id, status: 'scheduled' }], notLiveSince: null });
  await company.change(id, { status: 'in_progress' });
  await world.emit(api, 'appointment-updated', id);
  await eventually('the event', () => cache.data?.appointments[0]?.status === 'in_progress');
});

test('each change of a dashboard invalidates the tags of its appointment once', async () => {
  const world = await openWorld();
  const api = await world.ready(world.api());
  world.worker();
  const company = await world.documents.company();
  const id = await company.appointment();
  const token = await world.token(company.companyId);
  const { store, api: rtk } = createStore({ url: api.url, getToken: () => Promise.resolve(token) });
  const count = store.dispatch(rtk.endpoints.count.initiate(undefined));
  await count;
  const dashboard = connectDashboard({
    url: api.url,
    getToken: () => Promise.resolve(token),
    socketOptions: TRANSPORTS,
  });
  closing.push(() => {
    dashboard.close();
  });
  const invalidated: unknown[] = [];
  const stop = invalidateOnChange(dashboard, (ids) => {
    invalidated.push(ids);
    const tags = ids && [...ids, 'LIST'].map((tagged) => ({ type: 'Appointment' as const, id: tagged }));
    store.dispatch(rtk.util.invalidateTags(tags ?? ['Appointment']));
  });
  await eventually('the state live', () => dashboard.state === 'live');
  await world.emit(api, 'appointment-updated', id);
  await eventually('an invalidation', () => invalidated.length > 0);
  expect(invalidated).toEqual([[id]]);
  await eventually('another query', () => rtk.endpoints.count.select(undefined)(store.getState()).data === 2);
  stop();
  await world.emit(api, 'appointment-updated', id);
  await eventually('the second event', () => (dashboard.appointments.get(id)?.offset ?? 0) >= 2);
  expect(invalidated).toHaveLength(1);
});

/** A server whose list the test decides. */
async function scripted() {
  let list: AppointmentList = listAt('e', 5, { a: 'listed' });
  const server = await startScriptedServer((_request, reply) => {
    reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(list));
  });
  closing.push(() => server.close());
  const cache = createStore({ url: server.url, getToken: () => Promise.resolve('t') });
  const connection = await server.connection();
  connection.sendPosition({ epoch: 'e', offset: 5 });
  await eventually('a live entry', () => cache.data?.state === 'live');
  return { cache, connection, answer: (next: AppointmentList) => (list = next) };
}

test('a refetch whose reply is older than the last event does not bring the older state back', async () => {
  const { cache, connection, answer } = await scripted();
  connection.send('a', { epoch: 'e', offset: 6 }, { notes: 'event' });
  await eventually('the event', () => cache.data?.appointments[0]?.notes === 'event');
  answer(listAt('e', 5, { a: 'older' }));
  await cache.query.refetch();
  expect(cache.data?.appointments[0]?.notes).toBe('event');
});

test('a deleted appointment leaves the entry', async () => {
  const { cache, connection } = await scripted();
  connection.send('a', { epoch: 'e', offset: 6, event: 'appointment:deleted' });
  await eventually('an empty entry', () => cache.data?.appointments.length === 0);
});

test('the connection ends when the entry is removed', async () => {
  const { cache, connection } = await scripted();
  cache.query.unsubscribe();
  await until('the end of the connection', connection.ended);
  expect(cache.data).toBeUndefined();
});

test('a failed list request is the error of the query', async () => {
  const server = await startScriptedServer((_request, reply) => {
    reply.writeHead(401, { 'content-type': 'application/json' }).end('{"detail":"the token has expired"}');
  });
  closing.push(() => server.close());
  const cache = createStore({ url: server.url, getToken: () => Promise.resolve('t') });
  const message = 'ListError: the token has expired';
  expect((await cache.query).error).toEqual({ status: 'CUSTOM_ERROR', error: message, message });
});

test('the endpoint fits createApi with fetchBaseQuery, also in its types', async () => {
  const server = await startScriptedServer((_request, reply) => {
    reply.writeHead(401, { 'content-type': 'application/json' }).end('{"detail":"the token has expired"}');
  });
  closing.push(() => server.close());
  const api = createApi({
    baseQuery: fetchBaseQuery({ baseUrl: server.url }),
    endpoints: (build) => ({
      appointments: build.query<CachedAppointments, { from: string; to: string }>(
        followAppointments((range) => ({ url: server.url, getToken: () => Promise.resolve('t'), ...range })),
      ),
    }),
  });
  const store = configureStore({
    reducer: { [api.reducerPath]: api.reducer },
    middleware: (defaults) => defaults().concat(api.middleware),
  });
  closing.push(() => store.dispatch(api.util.resetApiState()));
  const { error } = await store.dispatch(api.endpoints.appointments.initiate(RANGE));
  const status: FetchBaseQueryError['status'] | undefined =
    error && 'status' in error ? error.status : undefined;
  expect(status).toBe('CUSTOM_ERROR');
});

test('an entry is emptied if the token has another scope, until the list of that scope is loaded', async () => {
  const { cache, connection, answer } = await scripted();
  const shown = () => cache.data?.appointments.map(({ _id }) => _id).join();
  expect(shown()).toBe('a');
  answer({} as AppointmentList); // A list that the dashboard refuses.
  connection.sendPosition({ epoch: 'e', offset: 5, recovered: false, reason: 'scope' });
  await eventually('the empty entry', () => shown() === '');
  answer(listAt('e', 5, { b: 'listed' }));
  await eventually('the list', () => shown() === 'b');
});
