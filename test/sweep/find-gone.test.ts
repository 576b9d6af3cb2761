import { beforeEach, describe, expect, test } from '@jest/globals';
import { DAY_MS, HOUR_MS, idOf, MINUTE_MS, openStoredWorld, type StoredWorld } from './stored-world.ts';

let world: StoredWorld;
beforeEach(() => {
  world = openStoredWorld();
});

const step = () => world.findGone.step(world.lease());
const FIRST_CURSOR = { companyId: '', publishedAt: null };
/** Stores documents for the published appointments from `first` to `last`. */
const keep = (first: number, last: number): void => {
  for (let number = first; number <= last; number += 1) world.write(number, MINUTE_MS);
};

describe('published appointments that are gone', () => {
  test('are emitted as deletions; those that exist are not', async () => {
    world.publishGone(3);
    keep(2, 2);
    expect(await step()).toBe(2);
    expect(world.emittedIds()).toEqual([1, 3]);
    expect(world.enqueued[0]).toEqual({
      event: 'appointment:deleted',
      appointmentId: idOf(1),
      companyId: 'c'.repeat(24),
      emissionId: `sweep-${idOf(1)}-gone-${world.stored.index[0]?.publishedAt}`,
      acceptedAt: new Date(world.stored.now).toISOString(),
    });
    expect(world.stored.search).toEqual({ cursor: FIRST_CURSOR, heldSince: null });
  });

  test('are none if nothing was published', async () => {
    expect(await step()).toBe(0);
    expect([world.enqueued, world.findGone.held()]).toEqual([[], undefined]);
  });

  test('are not emitted again within ten minutes', async () => {
    world.publishGone(1);
    expect([await step(), await step()]).toEqual([1, 0]);
    world.stored.now += 10 * MINUTE_MS - 1;
    expect(await step()).toBe(0);
    world.stored.now += 1;
    expect(await step()).toBe(1);
  });

  test('are emitted again at once after another publication', async () => {
    world.publishGone(1);
    await step();
    world.stored.index = world.stored.index.map((one) => ({ ...one, publishedAt: one.publishedAt + 1 }));
    expect(await step()).toBe(1);
  });

  test('are not emitted if the sweep has just emitted them for another reason', async () => {
    world.publishGone(2);
    world.findGone.except([idOf(1)], world.stored.now);
    expect([await step(), world.emittedIds()]).toEqual([1, [2]]);
  });

  test('are emitted again if the lease was lost: their jobs may be lost too', async () => {
    world.publishGone(1);
    world.stored.keepsLease = false;
    await step();
    world.stored.keepsLease = true;
    expect(await step()).toBe(1);
  });

  test('are emitted again after another process had the lease', async () => {
    world.publishGone(1);
    await step();
    world.findGone.forget();
    expect(await step()).toBe(1);
  });

  test('are not emitted for another company', async () => {
    world.publishGone(2);
    world.stored.foreign.add(idOf(1));
    expect([await step(), world.emittedIds()]).toEqual([1, [2]]);
  });

  test('are searched in the publications of 30 days', async () => {
    world.publishGone(2);
    const [first, second] = world.stored.index;
    world.stored.index = [
      { ...first!, publishedAt: world.stored.now - 30 * DAY_MS - 1 },
      { ...second!, publishedAt: world.stored.now - 30 * DAY_MS },
    ];
    expect([await step(), world.emittedIds()]).toEqual([1, [2]]);
  });

  test('are searched page by page, then from the beginning', async () => {
    world.publishGone(1_100);
    keep(1, 1_099);
    const emitted = [];
    for (let at = 0; at < 3; at += 1) emitted.push(await step());
    expect([emitted, world.emittedIds()]).toEqual([[0, 0, 1], [1_100]]);
    expect(world.stored.search.cursor).toEqual(FIRST_CURSOR);
  });
});

describe('the deletions of a page', () => {
  test('are emitted at once if there are at most 20, or at most half of the page', async () => {
    world.publishGone(20);
    expect(await step()).toBe(20);
    world = openStoredWorld();
    world.publishGone(42);
    keep(1, 21);
    expect(await step()).toBe(21);
    expect(world.held).toEqual([]);
  });

  test('are held back for an hour if there are more', async () => {
    world.publishGone(41);
    keep(1, 20);
    expect(await step()).toBe(0);
    const held = { gone: 21, checked: 41 };
    expect([world.findGone.held(), world.held, world.enqueued]).toEqual([held, [held], []]);
    const heldSince = world.stored.now;
    world.stored.now += HOUR_MS - 1;
    expect(await step()).toBe(0);
    expect(world.stored.search).toEqual({ cursor: FIRST_CURSOR, heldSince });
    world.stored.now += 1;
    expect(await step()).toBe(21);
    expect(world.findGone.held()).toBeUndefined();
    expect(world.stored.search.heldSince).toBe(heldSince);
  });

  test('are held back for longer if the database has no appointment at all', async () => {
    world.publishGone(21);
    await step();
    world.stored.now += 2 * HOUR_MS;
    world.stored.hasAppointments = false;
    expect(await step()).toBe(0);
    world.stored.hasAppointments = true;
    expect(await step()).toBe(21);
  });

  test('are emitted at once if they are few, although the database has no appointment', async () => {
    world.publishGone(2);
    world.stored.hasAppointments = false;
    expect(await step()).toBe(2);
  });

  test('are held back on their own page, where the search stays', async () => {
    world.publishGone(600);
    keep(1, 500);
    await step();
    const { cursor } = world.stored.search;
    await step();
    expect(world.stored.search).toEqual({ cursor, heldSince: world.stored.now });
  });

  test('that are restored end the hold', async () => {
    world.publishGone(21);
    await step();
    keep(1, 21);
    expect(await step()).toBe(0);
    expect([world.findGone.held(), world.stored.search.heldSince]).toEqual([undefined, null]);
  });

  test('are no longer held by this process after another one had the lease', async () => {
    world.publishGone(21);
    await step();
    world.findGone.forget();
    expect(world.findGone.held()).toBeUndefined();
  });
});

test('no more than 10,000 emissions are remembered', async () => {
  const others = Array.from({ length: 10_000 }, (_, at) => idOf(at + 100));
  world.findGone.except(others, world.stored.now);
  world.findGone.except([idOf(1)], world.stored.now);
  world.publishGone(1);
  expect([await step(), await step()]).toEqual([1, 1]);
});
