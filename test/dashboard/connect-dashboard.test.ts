import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { listAt, openWorld, type DashboardWorld } from './dashboard-world.ts';

const E = 'epoch-1';
let world: DashboardWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

describe('a dashboard that connects', () => {
  test('shows the list, sends its stream position, and is live after the first position from the server', async () => {
    const { dashboard, becomes, shown } = world.connect({
      loadSnapshot: () => Promise.resolve(listAt(E, 7, { a: 'listed' })),
    });
    const server = await world.server.connection();
    expect(server.auth).toEqual({ token: 'a-token', positions: true, position: { epoch: E, offset: 7 } });
    expect(shown()).toEqual({ a: 'listed' });
    await becomes('catching-up');
    server.sendPosition({ epoch: E, offset: 7 });
    await becomes('live');
    expect(dashboard.position).toEqual({ epoch: E, offset: 7 });
  });

  test('starts at the position of the server if there is no list', async () => {
    const { dashboard, becomes, emits } = world.connect();
    const server = await world.server.connection();
    expect(server.auth).toEqual({ token: 'a-token', positions: true });
    server.sendPosition({ epoch: E, offset: 40 });
    server.send('a', { epoch: E, offset: 41 });
    await emits('a 41.0');
    await becomes('live');
    expect(dashboard.position).toEqual({ epoch: E, offset: 41 });
  });

  test('holds live events until missed ones were replayed, then emits all in order and without duplicates', async () => {
    const { emitted, emits, shown } = world.connect({
      loadSnapshot: () => Promise.resolve(listAt(E, 7, { a: 'listed' })),
    });
    const server = await world.server.connection();
    server.send('a', { epoch: E, offset: 11 });
    server.send('b', { epoch: E, offset: 10, read: 1 });
    server.send('a', { epoch: E, offset: 10, read: 2 });
    server.send('c', { epoch: E, offset: 12 });
    server.send('c', { epoch: E, offset: 12, read: 3 });
    // When a dashboard that connected later is live, this one has received all events.
    const other = world.connect();
    const later = await world.server.connection();
    later.sendPosition({ epoch: E, offset: 12 });
    await other.becomes('live');
    expect(emitted).toEqual([]);
    server.sendPosition({ epoch: E, offset: 10 });
    await emits('b 10.1', 'a 10.2', 'a 11.0', 'c 12.0', 'c 12.3');
    expect(shown()).toEqual({ a: '11.0', b: '10.1', c: '12.3' });
  });

  test('does not mistake a periodic position for the reply to its handshake', async () => {
    const { dashboard, becomes } = world.connect({ loadSnapshot: () => Promise.resolve(listAt(E, 7)) });
    const server = await world.server.connection();
    server.sendPosition({ epoch: E, offset: 9 });
    const { from, reply } = await server.nextCatchUp();
    expect([from, dashboard.position]).toEqual(Array(2).fill({ epoch: E, offset: 7 }));
    server.send('a', { epoch: E, offset: 9, read: 1 });
    reply({ epoch: E, offset: 9, recovered: true });
    await becomes('live');
  });

  test('requests a catch-up if the server sends no position in time', async () => {
    const { becomes } = world.connect({
      loadSnapshot: () => Promise.resolve(listAt(E, 7)),
      timings: { answerMs: 100 },
    });
    const server = await world.server.connection();
    const { from, reply } = await server.nextCatchUp();
    expect(from).toEqual({ epoch: E, offset: 7 });
    reply({ epoch: E, offset: 7, recovered: true });
    await becomes('live');
  });

  test('retries loading the list until it succeeds, with a new token after a 401', async () => {
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
    server.sendPosition({ epoch: E, offset: 7 });
    await becomes('live');
  });

  test('emits nothing and does not reconnect after close()', async () => {
    const { dashboard, emitted, becomes } = world.connect();
    const server = await world.server.connection();
    server.sendPosition({ epoch: E, offset: 1 });
    await becomes('live');
    dashboard.close();
    dashboard.close();
    expect(dashboard.state).toBe('closed');
    server.send('a', { epoch: E, offset: 2 });
    await server.ended;
    // A second dashboard was cut off later. When it has reconnected, the closed one would have done so too.
    world.connect();
    (await world.server.connection()).cut();
    await world.server.connection();
    expect(emitted).toEqual([]);
    expect(world.server.attempts).toBe(3);
  });
});
