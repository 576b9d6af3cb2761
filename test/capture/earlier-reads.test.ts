import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Id } from '@appointment-emissions/contracts';
import type { AppointmentChange } from '../../src/domain/changes.ts';
import { digestOf } from '../../src/emission/encode.ts';
import { createRefuseEarlierReads } from '../../src/emission/last-published.ts';
import { createEmissionWorld } from '../emission/emission-world.ts';
import { changeOf, createCaptureWorld } from './capture-world.ts';

let world: ReturnType<typeof createEmissionWorld>;
let captured: ReturnType<typeof createCaptureWorld>;
beforeEach(() => {
  world = createEmissionWorld();
  captured = createCaptureWorld(world);
});
afterEach(() => {
  world.close();
});

/** Compares one change with what was published, and resolves to the number of emissions. */
const capture = async (appointmentId: Id, kind: AppointmentChange['kind']) =>
  (await captured.emit([changeOf(appointmentId, { kind, companyId: world.companyId })])).emitted;
const set = (id: Id, notes: string) => world.appointments.set(id, { ...world.appointments.get(id)!, notes });
const published = (id: Id) => world.redis.hmget(world.keys.order(world.companyId, id), 'updatedAt', 'digest');

/** Runs `act` between the first read of an emission and its publication, as if its worker was frozen there. */
async function emitFrozen(id: Id, act: () => Promise<void>): Promise<void> {
  let isFirst = true;
  world.onLoad(async () => {
    if (!isFirst) return;
    isFirst = false;
    await act();
  });
  await world.emit(id);
}

test('a write is undone while a worker that read it is frozen: the worker reads again', async () => {
  const id = world.appointment({ notes: 'before', updatedAt: '2026-01-01T00:00:00.000Z' });
  await world.emit(id);
  const before = digestOf(world.appointments.get(id)!);
  set(id, 'for a moment');
  await emitFrozen(id, async () => {
    set(id, 'before');
    expect(await capture(id, 'written')).toBe(0);
  });
  expect((await published(id))[1]).toBe(before);
  expect(captured.enqueued).toEqual([]);
});

test('an appointment is restored and deleted again while a worker that read it is frozen: the worker reads again', async () => {
  const id = world.appointment({ updatedAt: '2026-01-01T00:00:00.000Z' });
  const restored = world.appointments.get(id)!;
  world.appointments.delete(id);
  await world.emit(id);
  world.appointments.set(id, restored);
  await emitFrozen(id, async () => {
    world.appointments.delete(id);
    expect(await capture(id, 'deleted')).toBe(0);
  });
  expect((await published(id))[0]).toBe('deleted');
});

test('if the published snapshot changes during the comparison, the change is emitted', async () => {
  const id = world.appointment({ updatedAt: '2026-01-01T00:00:00.000Z' });
  await world.emit(id);
  const { redis, keys, companyId } = world;
  const refuse = createRefuseEarlierReads(redis, keys);
  const digest = digestOf(world.appointments.get(id)!);
  expect(await refuse(companyId, id, { digest })).toBe(true);
  expect(await refuse(companyId, id, { digest: 'another' })).toBe(false);
  expect(await refuse(companyId, id, 'deletion')).toBe(false);
  expect(await refuse(companyId, 'f'.repeat(24), 'deletion')).toBe(false);
  expect(await redis.exists(keys.order(companyId, 'f'.repeat(24)))).toBe(0);
});
