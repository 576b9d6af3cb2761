import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AppointmentList } from '@appointment-emissions/contracts';
import type { Timings } from '@appointment-emissions/dashboard';
import { eventually } from '../harness/until.ts';
import { meta } from './appointment-fixture.ts';
import { listAt, openWorld, type DashboardWorld } from './dashboard-world.ts';

const E = 'epoch-1';
let world: DashboardWorld;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

/** A request that the test settles. */
function createCommit() {
  const settle: { resolve: (reply: string) => void; reject: (error: Error) => void }[] = [];
  const commit = () =>
    new Promise<string>((resolve, reject) => {
      settle.push({ resolve, reject });
    });
  return {
    commit,
    resolve: (reply: string): void => {
      settle[0]!.resolve(reply);
    },
    reject: (error: Error): void => {
      settle[0]!.reject(error);
    },
  };
}

/** A dashboard that is live at offset 5 with the appointment `a`, and the notes of `a` after each change of its screen. */
async function live(timings: Partial<Timings> = {}) {
  const lists: (AppointmentList | Promise<AppointmentList>)[] = [listAt(E, 5, { a: 'listed' })];
  let requests = 0;
  const screen = world.connect({
    timings,
    loadSnapshot: async () => {
      requests += 1;
      const list = lists.shift();
      return list ?? Promise.reject(new Error('no list'));
    },
  });
  const { dashboard } = screen;
  const seen: (string | null)[] = [];
  dashboard.on('edited', ({ appointment }) => seen.push(appointment.notes));
  dashboard.on('appointment:updated', ({ appointment }) => seen.push(appointment.notes));
  dashboard.on('appointments', (rows) => seen.push(rows.get('a')?.appointment.notes ?? null));
  const server = await world.server.connection();
  server.sendPosition({ epoch: E, offset: 5 });
  await screen.becomes('live');
  seen.length = 0;
  return { ...screen, server, lists, seen, requests: () => requests };
}

describe('an edit', () => {
  test('shows at once and stays on top of each snapshot until it expires', async () => {
    const { dashboard, server, seen, shown, requests } = await live({ confirmMs: 50 });
    const save = createCommit();
    const saved = dashboard.edit('a', { notes: 'edited' }, save.commit);
    expect([seen, shown()]).toEqual([['edited'], { a: 'edited' }]);
    // Another field is changed by someone else, before the edit is saved.
    server.send('a', { epoch: E, offset: 6 }, { notes: 'listed', status: 'checked_in' });
    await eventually('the event', () => seen.length === 2);
    expect(dashboard.appointments.get('a')?.appointment).toMatchObject({
      notes: 'edited',
      status: 'checked_in',
    });
    save.resolve('the reply');
    expect(await saved).toBe('the reply');
    server.send('a', { epoch: E, offset: 7 }, { notes: 'edited' });
    await eventually('the end of the edit', () => seen.length === 4);
    expect(seen).toEqual(Array(4).fill('edited'));
    server.send('a', { epoch: E, offset: 8 }, { notes: 'changed again' });
    await eventually('the next change', () => seen.length === 5);
    expect([seen.at(-1), requests()]).toEqual(['changed again', 1]);
  });

  test('is rolled back to the newest snapshot if its commit rejects', async () => {
    const { dashboard, server, seen } = await live();
    const save = createCommit();
    const saved = dashboard.edit('a', { notes: 'edited' }, save.commit);
    server.send('a', { epoch: E, offset: 6 }, { notes: 'changed' });
    await eventually('the event', () => seen.length === 2);
    save.reject(new Error('not allowed'));
    await expect(saved).rejects.toThrow('not allowed');
    expect(seen).toEqual(['edited', 'edited', 'changed']);
  });

  test('is rolled back if its commit throws', async () => {
    const { dashboard, seen } = await live();
    const commit = () => {
      throw new Error('offline');
    };
    await expect(dashboard.edit('a', { notes: 'edited' }, commit)).rejects.toThrow('offline');
    expect(seen).toEqual(['edited', 'listed']);
  });

  test('hides snapshots that were read before it was saved', async () => {
    const { dashboard, server, seen, lists } = await live({ reloadMs: 200 });
    await dashboard.edit('a', { notes: 'edited' }, () => Promise.resolve());
    server.send('a', { epoch: E, offset: 6 }, { notes: 'older' });
    server.send('a', { epoch: E, offset: 7 }, { notes: 'edited' });
    await eventually('both events', () => seen.length === 3);
    lists.push(listAt(E, 7, { a: 'edited' }));
    await dashboard.reload();
    expect(seen).toEqual(Array(4).fill('edited'));
  });

  test('is replaced by what the server stored instead, as soon as a list shows it', async () => {
    const { dashboard, server, seen, lists, requests } = await live();
    await dashboard.edit('a', { notes: ' edited ' }, () => Promise.resolve());
    lists.push(listAt(E, 6, { a: 'edited' }));
    server.send('a', { epoch: E, offset: 6 }, { notes: 'edited' });
    await eventually('the list', () => seen.at(-1) === 'edited');
    expect([seen, requests()]).toEqual([[' edited ', ' edited ', 'edited'], 2]);
  });

  test('that no emission follows is replaced by a list when it expires', async () => {
    const { dashboard, seen, lists } = await live({ confirmMs: 50 });
    lists.push(listAt(E, 5, { a: 'unchanged' }));
    await dashboard.edit('a', { notes: 'edited' }, () => Promise.resolve());
    await eventually('the list', () => seen.at(-1) === 'unchanged');
    expect(seen).toEqual(['edited', 'unchanged']);
  });

  test('stays on top of a list that was requested before it was saved', async () => {
    const { dashboard, seen, lists } = await live();
    const request = createCommit();
    lists.push(
      request.commit().then(() => listAt(E, 6, { a: 'older' })),
      listAt(E, 7, { a: 'stored' }),
    );
    const reloaded = dashboard.reload();
    await eventually('the request', () => lists.length === 1);
    await dashboard.edit('a', { notes: 'edited' }, () => Promise.resolve());
    request.resolve('');
    await reloaded;
    expect(seen).toEqual(['edited', 'edited']);
    await dashboard.reload();
    expect(seen.at(-1)).toBe('stored');
  });

  test('ends with its appointment, which a later snapshot shows without it', async () => {
    const { dashboard, server, seen, shown } = await live();
    const save = createCommit();
    const saved = dashboard.edit('a', { notes: 'edited' }, save.commit);
    const deletion = { appointment: { _id: 'a', companyId: '0'.repeat(24) }, reason: 'out-of-scope' };
    server.raw('appointment:deleted', deletion, meta({ epoch: E, offset: 6, event: 'appointment:deleted' }));
    await eventually('the removal', () => dashboard.appointments.size === 0);
    server.send('a', { epoch: E, offset: 7 }, { notes: 'back' });
    await eventually('the snapshot', () => shown()['a'] === 'back');
    save.resolve('');
    await saved;
    expect([seen, shown()]).toEqual([['edited', 'back'], { a: 'back' }]);
  });

  test('of an unknown appointment shows nothing, and is saved', async () => {
    const { dashboard, seen } = await live();
    expect(await dashboard.edit('b', { notes: 'edited' }, () => 'saved')).toBe('saved');
    expect([seen, dashboard.appointments.has('b')]).toEqual([[], false]);
  });

  test('cannot change the id of its appointment, nor be changed after it began', async () => {
    const { dashboard, shown } = await live();
    const patch = { notes: 'edited', _id: 'b' };
    const saved = dashboard.edit('a', patch, () => Promise.resolve());
    patch.notes = 'later';
    await saved;
    expect(shown()).toEqual({ a: 'edited' });
    expect(dashboard.appointments.get('a')?.appointment._id).toBe('a');
  });

  test('is saved after close(), without events', async () => {
    const { dashboard, seen } = await live();
    const save = createCommit();
    const saved = dashboard.edit('a', { notes: 'edited' }, save.commit);
    dashboard.close();
    save.reject(new Error('not saved'));
    await expect(saved).rejects.toThrow('not saved');
    expect(seen).toEqual(['edited']);
    expect(await dashboard.edit('a', { notes: 'again' }, () => 'saved')).toBe('saved');
    expect(seen).toEqual(['edited']);
  });
});

describe('several edits of one appointment', () => {
  test('show the last one of each field, and roll back to the one before', async () => {
    const { dashboard, shown } = await live();
    const [first, second] = [createCommit(), createCommit()];
    const firstSaved = dashboard.edit('a', { notes: 'first', status: 'canceled' }, first.commit);
    const secondSaved = dashboard.edit('a', { notes: 'second' }, second.commit);
    expect(dashboard.appointments.get('a')?.appointment).toMatchObject({
      notes: 'second',
      status: 'canceled',
    });
    second.reject(new Error('no'));
    await expect(secondSaved).rejects.toThrow('no');
    expect(shown()).toEqual({ a: 'first' });
    first.reject(new Error('no'));
    await expect(firstSaved).rejects.toThrow('no');
    expect(dashboard.appointments.get('a')?.appointment).toMatchObject({
      notes: 'listed',
      status: 'scheduled',
    });
  });

  test('end together: an earlier one does not show again when the last one ends', async () => {
    const { dashboard, seen, lists } = await live();
    const first = createCommit();
    const firstSaved = dashboard.edit('a', { notes: 'first' }, first.commit);
    await dashboard.edit('a', { notes: 'second' }, () => Promise.resolve());
    lists.push(listAt(E, 7, { a: 'stored' }));
    await dashboard.reload();
    expect(seen).toEqual(['first', 'second', 'stored']);
    first.resolve('');
    await firstSaved;
    expect(seen.at(-1)).toBe('stored');
  });

  test('do not show an older state if a value is changed and changed back', async () => {
    const { dashboard, server, seen } = await live({ reloadMs: 10_000, longestReloadMs: 10_000 });
    for (const notes of ['changed', 'listed']) await dashboard.edit('a', { notes }, () => Promise.resolve());
    server.send('a', { epoch: E, offset: 6 }, { notes: 'changed' });
    server.send('a', { epoch: E, offset: 7 }, { notes: 'listed' });
    await eventually('both events', () => seen.length === 4);
    expect(seen).toEqual(['changed', 'listed', 'listed', 'listed']);
  });
});

test('without loadSnapshot an edit is shown until it expires', async () => {
  const { dashboard, becomes, shown } = world.connect({ timings: { confirmMs: 200 } });
  const server = await world.server.connection();
  server.sendPosition({ epoch: E, offset: 5 });
  server.send('a', { epoch: E, offset: 6 }, { notes: 'stored' });
  await becomes('live');
  await eventually('the event', () => shown()['a'] === 'stored');
  const seen: (string | null)[] = [];
  dashboard.on('edited', ({ appointment }) => seen.push(appointment.notes));
  await dashboard.edit('a', { notes: 'edited' }, () => Promise.resolve());
  await eventually('the end of the edit', () => shown()['a'] === 'stored');
  expect(seen).toEqual(['edited', 'stored']);
});
