import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AppointmentList } from '@appointment-emissions/contracts';
import { eventually } from '../harness/until.ts';
import { listAt, openWorld, type DashboardWorld } from './dashboard-world.ts';

const E = 'epoch-1';
let world: DashboardWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** Tokens of one user differ in their times and ids only. */
let tokens = 0;
const jwt = (claims: object, lifetimeS = 3_600) => {
  const iat = Date.now() / 1_000;
  const payload = { ...claims, iat, exp: iat + lifetimeS, jti: String((tokens += 1)) };
  return ['header', base64url(payload), 'signature'].join('.');
};

/** A dashboard that is live at offset 5 with the appointments `a` and `b`. Each list request gets the next list. */
async function live(getToken: () => string | Promise<string> = () => jwt({})) {
  const lists: (AppointmentList | Promise<AppointmentList>)[] = [listAt(E, 5, { a: 'listed', b: 'listed' })];
  const used: string[] = [];
  const screen = world.connect({
    getToken: () => Promise.resolve(getToken()),
    loadSnapshot: async (token) => {
      used.push(token);
      const list = lists.shift();
      return list ?? Promise.reject(new Error('no list'));
    },
  });
  const states: string[] = [];
  const screens: string[] = [];
  screen.dashboard.on('state', (state, reason) =>
    states.push(reason === undefined ? state : `${state} ${reason}`),
  );
  screen.dashboard.on('appointments', (rows) => screens.push([...rows.keys()].join()));
  const server = await world.server.connection();
  server.sendPosition({ epoch: E, offset: 5 });
  await screen.becomes('live');
  states.length = screens.length = 0;
  return { ...screen, server, lists, used, states, screens };
}

describe('emissions:passed', () => {
  test('advances the stream position, so that the next event is shown without a catch-up', async () => {
    const { dashboard, server, emits, states } = await live();
    server.sendPassed({ epoch: E, offset: 8 });
    server.send('a', { epoch: E, offset: 9 });
    await emits('a 9.0');
    expect([dashboard.position, states, server.openCatchUps]).toEqual([{ epoch: E, offset: 9 }, [], 0]);
    server.cut();
    expect((await world.server.connection()).auth.position).toEqual({ epoch: E, offset: 9 });
  });

  test('closes a gap before the events that were received after it', async () => {
    const { server, emits, becomes } = await live();
    server.send('b', { epoch: E, offset: 8 });
    server.send('a', { epoch: E, offset: 11 });
    server.sendPassed({ epoch: E, offset: 9 });
    await emits('b 8.0');
    server.sendPassed({ epoch: E, offset: 11 });
    await emits('b 8.0', 'a 11.0');
    await becomes('live');
  });

  test('never moves the position back, and does not close a later gap', async () => {
    const { dashboard, server } = await live();
    server.sendPassed({ epoch: E, offset: 3 });
    server.send('a', { epoch: E, offset: 8 });
    server.sendPassed({ epoch: E, offset: 6 });
    const { from } = await server.nextCatchUp();
    expect([from, dashboard.position]).toEqual(Array(2).fill({ epoch: E, offset: 6 }));
  });

  test('of another epoch leads to a catch-up', async () => {
    const { server, becomes, lists } = await live();
    server.sendPassed({ epoch: 'epoch-2', offset: 2 });
    const { from, reply } = await server.nextCatchUp();
    expect(from).toEqual({ epoch: E, offset: 5 });
    lists.push(listAt('epoch-2', 2));
    reply({ epoch: 'epoch-2', offset: 2, recovered: false, reason: 'epoch' });
    await becomes('live');
  });

  test.each([
    ['before the first position', { epoch: E, offset: 7 }],
    ['without an offset', { epoch: E }],
    ['without an epoch', { offset: 7 }],
    ['that is no object', 7],
  ])('%s is ignored', async (_, passed) => {
    const { server, dashboard, emits } = await live();
    server.cut();
    const second = await world.server.connection();
    second.raw('emissions:passed', passed);
    second.sendPosition({ epoch: E, offset: 5 });
    second.send('a', { epoch: E, offset: 6 });
    await emits('a 6.0');
    expect(dashboard.position).toEqual({ epoch: E, offset: 6 });
  });
});

describe('a token with another scope', () => {
  test('empties the screen, and loads the list of that scope', async () => {
    const { server, lists, becomes, shown, states, screens } = await live();
    lists.push(listAt(E, 5, { b: 'seen by another groomer' }));
    server.sendPosition({ epoch: E, offset: 5, recovered: false, reason: 'scope' });
    await eventually('the list', () => screens.length === 2);
    await becomes('live');
    expect(screens).toEqual(['', 'b']);
    expect(shown()).toEqual({ b: 'seen by another groomer' });
    expect(states).toEqual(['reload-needed scope', 'live']);
  });

  test('hides a list that was requested before', async () => {
    const { dashboard, server, lists, problems, shown, screens } = await live();
    let arrive: (list: AppointmentList) => void = () => undefined;
    lists.push(
      new Promise((resolve) => {
        arrive = resolve;
      }),
      listAt(E, 5, { b: 'listed' }),
    );
    const reloaded = dashboard.reload();
    await eventually('the request', () => lists.length === 1);
    server.sendPosition({ epoch: E, offset: 5, recovered: false, reason: 'scope' });
    await eventually('the empty screen', () => screens.length === 1);
    arrive(listAt(E, 5, { a: 'of the old scope', b: 'listed' }));
    await expect(reloaded).rejects.toThrow('may be older');
    server.sendHeartbeat(true);
    await eventually('the list', () => dashboard.state === 'live');
    expect([shown(), problems]).toEqual([{ b: 'listed' }, []]);
  });

  test('drops events that wait for a gap to close, and older replays', async () => {
    const { server, lists, becomes, shown, screens } = await live();
    server.send('a', { epoch: E, offset: 8 });
    lists.push(listAt(E, 8, { b: 'listed' }));
    server.sendPosition({ epoch: E, offset: 8, recovered: false, reason: 'scope' });
    server.send('a', { epoch: E, offset: 4, read: 9 });
    await eventually('the list', () => screens.length === 2);
    await becomes('live');
    expect(shown()).toEqual({ b: 'listed' });
  });

  test('is noticed if it comes with a reconnection', async () => {
    let scope: object = { staffId: 'x' };
    const { server, lists, used, becomes, shown, screens } = await live(() => jwt({ sub: 'u', scope }));
    scope = { staffId: 'y' };
    lists.push(listAt(E, 5, { b: 'listed' }));
    server.disconnect();
    const second = await world.server.connection();
    second.sendPosition({ epoch: E, offset: 5 });
    await becomes('live');
    expect([screens, shown()]).toEqual([['', 'b'], { b: 'listed' }]);
    expect(used.at(-1)).toBe(second.auth.token);
  });

  test('is noticed if the list is loaded with it before the connection', async () => {
    let scope: object = { staffId: 'x' };
    const { dashboard, server, lists, shown, screens } = await live(() => jwt({ sub: 'u', scope }));
    scope = { staffId: 'y' };
    world.server.refuseNext(1_000, { code: 'TOKEN_KEYS_UNAVAILABLE' });
    server.disconnect();
    await eventually('the end of the connection', () => dashboard.state === 'disconnected');
    lists.push(listAt(E, 5, { b: 'listed' }));
    await dashboard.reload();
    expect([screens, shown()]).toEqual([['', 'b'], { b: 'listed' }]);
  });

  test('a new token with the same claims loads no list', async () => {
    const { server, used, becomes, screens } = await live(() => jwt({ sub: 'u', scope: { staffId: 'x' } }));
    server.disconnect();
    const second = await world.server.connection();
    expect(second.auth.token).not.toBe(used[0]);
    second.sendPosition({ epoch: E, offset: 5 });
    await becomes('live');
    expect([screens, used.length]).toEqual([[], 1]);
  });

  test('a token whose scope the server cannot read is replaced', async () => {
    const given: string[] = [];
    const used: string[] = [];
    world.server.refuseNext(1, { code: 'SCOPE_INVALID' });
    world.connect({
      getToken: () => {
        given.push(jwt({}));
        return Promise.resolve(given.at(-1)!);
      },
      loadSnapshot: (token) => {
        if (used.push(token) > 1) return Promise.resolve(listAt(E, 5));
        return Promise.reject(
          Object.assign(new Error('unreadable scope'), { status: 403, code: 'SCOPE_INVALID' }),
        );
      },
    });
    expect((await world.server.connection()).auth.token).toBe(given[2]);
    expect(used).toEqual(given.slice(0, 2));
  });
});

test('a dashboard that the server disconnects has the state disconnected until it connects with a new token', async () => {
  let isSignedIn = true;
  const { dashboard, server, shown, states, problems } = await live(() =>
    isSignedIn ? jwt({ sub: 'u' }) : Promise.reject(new Error('signed out')),
  );
  isSignedIn = false;
  server.disconnect();
  await eventually('requests for a token', () => problems.includes('Error: signed out'));
  expect([dashboard.state, shown()]).toEqual(['disconnected', { a: 'listed', b: 'listed' }]);
  isSignedIn = true;
  (await world.server.connection()).sendPosition({ epoch: E, offset: 5 });
  await eventually('the connection', () => dashboard.state === 'live');
  expect(states).toEqual(['disconnected', 'catching-up', 'live']);
});

describe('a token that is renewed', () => {
  test('is sent on the connection, which stays; after a disconnection it is not used again', async () => {
    const given = [jwt({ sub: 'u' }, 2.1), jwt({ sub: 'u' }), jwt({ sub: 'u' })];
    const [, second, third] = given;
    const { server, emits, states } = await live(() => given.shift()!);
    const { token, reply } = await server.nextToken();
    expect(token).toBe(second);
    reply({ ok: true, expiresAt: new Date().toISOString() });
    server.send('a', { epoch: E, offset: 6 });
    await emits('a 6.0');
    expect([states, world.server.attempts]).toEqual([[], 1]);
    server.disconnect();
    expect((await world.server.connection()).auth.token).toBe(third);
  });

  test.each([
    ['refuses it', true],
    ['does not know the event', false],
  ])('is used for another connection if the server %s', async (_, doesReply) => {
    const given = [jwt({ sub: 'u' }, 2.1), jwt({ sub: 'u' })];
    const [, later] = given;
    const { server, problems } = await live(() => given.shift()!);
    const { reply } = await server.nextToken();
    if (doesReply) reply({ ok: false, code: 'TOKEN_INVALID', message: 'another user' });
    const second = await world.server.connection();
    expect(second.auth).toEqual({ token: later, positions: true, position: { epoch: E, offset: 5 } });
    expect(problems).toEqual([]);
  });
});
