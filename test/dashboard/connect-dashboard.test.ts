import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { listAt, openWorld, type DashboardWorld } from './dashboard-world.ts';

const E = 'epoch-1';
let world: DashboardWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

describe('a dashboard that connects', () => {
  test('shows the list at once, hands over its place and is live when the server has told where it stands', async () => {
    const { dashboard, becomes, shown } = world.connect({
      loadSnapshot: () => Promise.resolve(listAt(E, 7, { a: 'listed' })),
    });
    const server = await world.server.connection();
    expect(server.auth).toEqual({ token: 'a-token', position: { epoch: E, offset: 7 } });
    expect(shown()).toEqual({ a: 'listed' });
    await becomes('catching-up');
    server.place({ epoch: E, offset: 7 });
    await becomes('live');
    expect(dashboard.position).toEqual({ epoch: E, offset: 7 });
  });

  test('without a list begins where the server says', async () => {
    const { dashboard, becomes, tells } = world.connect();
    const server = await world.server.connection();
    expect(server.auth).toEqual({ token: 'a-token' });
    server.place({ epoch: E, offset: 40 });
    server.send('a', { epoch: E, offset: 41 });
    await tells('a 41.0');
    await becomes('live');
    expect(dashboard.position).toEqual({ epoch: E, offset: 41 });
  });

  test('holds live events until what it missed has come, then tells all in order, each appointment once', async () => {
    const { told, tells, shown } = world.connect({
      loadSnapshot: () => Promise.resolve(listAt(E, 7, { a: 'listed' })),
    });
    const server = await world.server.connection();
    server.send('a', { epoch: E, offset: 11 });
    server.send('b', { epoch: E, offset: 10, read: 1 });
    server.send('a', { epoch: E, offset: 10, read: 2 });
    server.send('c', { epoch: E, offset: 12 });
    server.send('c', { epoch: E, offset: 12, read: 3 });
    // By the time that another screen, connected since, tells something, this one has heard all.
    const other = world.connect();
    const later = await world.server.connection();
    later.place({ epoch: E, offset: 12 });
    await other.becomes('live');
    expect(told).toEqual([]);
    server.place({ epoch: E, offset: 10 });
    await tells('b 10.1', 'a 10.2', 'a 11.0', 'c 12.0', 'c 12.3');
    expect(shown()).toEqual({ a: '11.0', b: '10.1', c: '12.3' });
  });

  test('does not take a position told to everybody for the answer to what it missed', async () => {
    const { dashboard, becomes } = world.connect({ loadSnapshot: () => Promise.resolve(listAt(E, 7)) });
    const server = await world.server.connection();
    server.place({ epoch: E, offset: 9 });
    const { from, answer } = await server.question();
    expect([from, dashboard.position]).toEqual(Array(2).fill({ epoch: E, offset: 7 }));
    server.send('a', { epoch: E, offset: 9, read: 1 });
    answer({ epoch: E, offset: 9, recovered: true });
    await becomes('live');
  });

  test('asks by itself where the server does not say in time where it stands', async () => {
    const { becomes } = world.connect({
      loadSnapshot: () => Promise.resolve(listAt(E, 7)),
      timings: { answerMs: 100 },
    });
    const server = await world.server.connection();
    const { from, answer } = await server.question();
    expect(from).toEqual({ epoch: E, offset: 7 });
    answer({ epoch: E, offset: 7, recovered: true });
    await becomes('live');
  });

  test('loads the list again until it succeeds, with another token where the route wants one', async () => {
    const tokens = ['old', 'new'];
    const used: string[] = [];
    const { becomes, problems } = world.connect({
      getToken: () => Promise.resolve(tokens.shift() ?? 'none'),
      loadSnapshot: (token) => {
        used.push(token);
        if (used.length === 1) return Promise.reject(new Error('no answer'));
        if (token === 'old') return Promise.reject(Object.assign(new Error('refused'), { status: 401 }));
        return Promise.resolve(listAt(E, 7));
      },
    });
    const server = await world.server.connection();
    expect(used).toEqual(['old', 'old', 'new']);
    expect(problems).toEqual(['Error: no answer', 'Error: refused']);
    server.place({ epoch: E, offset: 7 });
    await becomes('live');
  });

  test('when closed tells nothing more and does not come back', async () => {
    const { dashboard, told, becomes } = world.connect();
    const server = await world.server.connection();
    server.place({ epoch: E, offset: 1 });
    await becomes('live');
    dashboard.close();
    dashboard.close();
    expect(dashboard.state).toBe('closed');
    server.send('a', { epoch: E, offset: 2 });
    await server.ended;
    // One that was cut off later has come back by the time that the closed one would have.
    world.connect();
    (await world.server.connection()).cut();
    await world.server.connection();
    expect(told).toEqual([]);
    expect(world.server.attempts).toBe(3);
  });
});
