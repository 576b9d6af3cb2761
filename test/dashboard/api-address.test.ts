import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectDashboard, fetchAppointments } from '@appointment-emissions/dashboard';
import { eventually } from '../harness/until.ts';
import { listAt, openWorld, type DashboardWorld } from './dashboard-world.ts';

const range = { from: new Date('2026-11-23T00:00:00Z'), to: new Date('2026-11-24T00:00:00Z') };
const getToken = () => Promise.resolve('a-token');
let rejections: unknown[];
const record = (reason: unknown) => void rejections.push(reason);
beforeEach(() => {
  rejections = [];
  process.on('unhandledRejection', record);
});
afterEach(() => {
  process.off('unhandledRejection', record);
  setPage(undefined);
  expect(rejections).toEqual([]);
});

/** As in a browser whose page has this address. */
function setPage(href: string | undefined): void {
  if (href === undefined) Reflect.deleteProperty(globalThis, 'location');
  else Object.defineProperty(globalThis, 'location', { value: { href }, configurable: true });
}

describe('a value that is not an address is refused at the call', () => {
  test.each([
    ['', /relative/],
    ['/', /relative/],
    ['//api.example.com', /relative/],
    ['/api', /relative/],
    [undefined, /missing/],
    [null, /missing/],
    [3001, /missing/],
    [{}, /missing/],
    ['api.example.com', /begin with http/],
    ['localhost', /begin with http/],
    ['ftp://api.example.com', /begin with http/],
    ['file:///etc', /begin with http/],
    ['mailto:a@b', /begin with http/],
    ['http://', /cannot be read/],
    ['http://a b', /cannot be read/],
    ['http://h:99999', /cannot be read/],
    ['https://jane:s3cret@api.example.com', /user name or password/],
  ])('%j', async (url, message) => {
    const options = { url: url as string, getToken };
    expect(() => connectDashboard(options)).toThrow(TypeError);
    expect(() => connectDashboard(options)).toThrow(message);
    expect(() => connectDashboard(options)).not.toThrow(/s3cret/);
    await expect(fetchAppointments({ ...options, token: 'a-token', ...range })).rejects.toThrow(message);
  });

  test.each(['a?b', '..', '/a/../b', 'a b', '#'])('the base path %j', (basePath) => {
    expect(() => connectDashboard({ url: 'http://localhost:1', basePath, getToken })).toThrow(/basePath/);
  });

  test('a missing getToken', () => {
    const options = { url: 'http://localhost:1' } as unknown as Parameters<typeof connectDashboard>[0];
    expect(() => connectDashboard(options)).toThrow(/getToken is missing/);
  });
});

describe('an address may be written as', () => {
  let world: DashboardWorld;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  const forms: [string, (server: URL) => string | URL, string | undefined][] = [
    ['host and port', ({ host }) => host, undefined],
    ['a slash at the end', ({ origin }) => `${origin}/`, undefined],
    ['a path and a query', ({ origin }) => `${origin}/calendar/today?x=1#y`, undefined],
    ['spaces around it', ({ origin }) => ` ${origin}\n`, undefined],
    ['upper case', ({ origin }) => origin.toUpperCase(), undefined],
    ['a URL', (url) => url, undefined],
    ['ws:', ({ host }) => `ws://${host}`, undefined],
    ['/ on a page', () => '/', '/day?x'],
    ['an empty text on a page', () => '', '/'],
    ['a path on a page', () => '/api', '/'],
    ['//host on a page', ({ host }) => `//${host}`, '/'],
    ['host and port on a page', ({ host }) => host, '/'],
  ];
  test.each(forms)('%s', async (_, form, page) => {
    const server = new URL(world.server.url);
    if (page !== undefined) setPage(new URL(page, server).href);
    const { becomes } = world.connect({ url: form(server) });
    (await world.server.connection()).sendPosition({ epoch: 'e', offset: 1 });
    await becomes('live');
  });

  test.each([
    ['returns undefined', () => undefined],
    ['returns an empty text', () => ''],
    ['throws at once', () => fail()],
    ['rejects', () => Promise.reject(new Error('no token'))],
  ])('a getToken that %s is a problem, and is called again', async (_, give) => {
    let calls = 0;
    const first = give as () => Promise<string>;
    const { becomes, problems } = world.connect({
      getToken: () => (++calls === 1 ? first() : Promise.resolve('a-token')),
    });
    (await world.server.connection()).sendPosition({ epoch: 'e', offset: 1 });
    await becomes('live');
    expect(problems).toHaveLength(1);
  });

  test('a loadSnapshot that throws, or resolves to no list, is a problem, and is called again', async () => {
    const loads = [
      () => fail(),
      () => Promise.resolve(undefined as never),
      () => Promise.resolve(listAt('e', 1)),
    ];
    const { becomes, problems } = world.connect({ loadSnapshot: () => loads.shift()!() });
    (await world.server.connection()).sendPosition({ epoch: 'e', offset: 1 });
    await becomes('live');
    expect(problems).toHaveLength(2);
  });

  test('invalid socket options are a problem, not an unhandled rejection', async () => {
    const { problems, dashboard } = world.connect({ socketOptions: { transports: ['none'] } });
    await eventually('a problem', () => problems.length > 0);
    expect(dashboard.state).toBe('connecting');
  });
});

test('the base path is put before every path', async () => {
  const requests: string[] = [];
  const server = createServer(({ url = '' }: IncomingMessage, reply) => {
    requests.push(url.split('?')[0]!);
    reply.writeHead(404, { connection: 'close' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, basePath: 'calendar/' };
  await expect(fetchAppointments({ ...address, token: 't', ...range })).rejects.toThrow('404');
  const dashboard = connectDashboard({ ...address, getToken, socketOptions: { transports: ['polling'] } });
  await eventually('a handshake', () => requests.length > 1);
  dashboard.close();
  server.close();
  expect(requests.slice(0, 2)).toEqual(['/calendar/api/v1/dashboard/appointments', '/calendar/socket.io/']);
});

function fail(): never {
  throw new Error('thrown by the app');
}
