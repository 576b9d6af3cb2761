import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Id } from '@appointment-emissions/contracts';
import type { ReferenceChange } from '../../src/domain/changes.ts';
import { digestOf } from '../../src/emission/encode.ts';
import { createEmissionWorld } from '../emission/emission-world.ts';
import { changeOf, createCaptureWorld } from './capture-world.ts';

const UPDATED_AT = '2026-01-01T00:00:00.000Z';
const TIMEOUT = new Error('operation exceeded time limit');

let world: ReturnType<typeof createEmissionWorld>;
beforeEach(() => {
  world = createEmissionWorld();
});
afterEach(() => {
  world.close();
});

/** A capture that cannot read these appointments, and fails a whole batch because of one of them. */
function captureWithout(bad: readonly Id[], over: Parameters<typeof createCaptureWorld>[1] = {}) {
  const reads: (readonly Id[])[] = [];
  const captured = createCaptureWorld(world, {
    load(ids) {
      reads.push(ids);
      if (ids.some((id) => bad.includes(id))) return Promise.reject(TIMEOUT);
      return Promise.resolve(new Map(ids.map((id) => [id, world.appointments.get(id)!])));
    },
    ...over,
  });
  return { ...captured, reads };
}

const appointments = (count: number) =>
  Array.from({ length: count }, () => world.appointment({ updatedAt: UPDATED_AT }));

test('one of 100 appointments cannot be read: the others are emitted, and that one without a comparison', async () => {
  const ids = appointments(100);
  const bad = ids[63]!;
  const { emit, enqueued, reads } = captureWithout([bad], {
    companiesOf: () => Promise.resolve(new Map([[bad, world.companyId]])),
  });
  const captured = await emit(ids.map((id) => changeOf(id)));
  expect(captured).toEqual({
    emitted: 99,
    unknown: [],
    unread: [{ documentId: bad, error: TIMEOUT, isEmitted: true }],
    moved: [],
  });
  expect(enqueued.map(({ appointmentId }) => appointmentId).toSorted()).toEqual(ids.toSorted());
  expect(enqueued.filter(({ isLive }) => !isLive)).toEqual([
    expect.objectContaining({
      event: 'appointment:updated',
      appointmentId: bad,
      companyId: world.companyId,
      emissionId: `capture-${bad}-1`,
    }),
  ]);
  expect(reads.length).toBeLessThan(20);
});

test('an appointment that cannot be read, of a company that is not known either, is reported and not emitted', async () => {
  const [bad, good] = appointments(2) as [Id, Id];
  const { emit, enqueued } = captureWithout([bad], { findRows: () => Promise.reject(TIMEOUT) });
  const { emitted, unread } = await emit([changeOf(bad), changeOf(good)]);
  expect(emitted).toBe(1);
  expect(unread).toEqual([{ documentId: bad, error: TIMEOUT, isEmitted: false }]);
  expect(enqueued.map(({ appointmentId }) => appointmentId)).toEqual([good]);
});

test('while MongoDB is unavailable nothing is halved and nothing is emitted', async () => {
  const ids = appointments(4);
  const away = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
  let reads = 0;
  const { emit, enqueued } = createCaptureWorld(world, {
    load: () => {
      reads += 1;
      return Promise.reject(away);
    },
  });
  await expect(emit(ids.map((id) => changeOf(id)))).rejects.toBe(away);
  expect(reads).toBe(1);
  expect(enqueued).toEqual([]);
});

test('the appointments of a changed reference cannot be searched: the other changes are emitted', async () => {
  const [id] = appointments(1) as [Id];
  const reference: ReferenceChange = {
    kind: 'reference',
    collection: 'customers',
    documentId: 'c'.repeat(24),
    committedAt: null,
    clusterTime: '1',
    resumeToken: '',
  };
  const { emit } = createCaptureWorld(world, { findReferring: () => Promise.reject(TIMEOUT) });
  const { emitted, unread } = await emit([reference, changeOf(id)]);
  expect(emitted).toBe(1);
  expect(unread).toEqual([{ documentId: reference.documentId, error: TIMEOUT, isEmitted: false }]);
});

test('a process that ends stops between two halves', async () => {
  const ids = appointments(2);
  const ending = new AbortController();
  const { emit, reads } = captureWithout(ids, {
    companiesOf: () => {
      ending.abort(new Error('the process ends'));
      return Promise.resolve(new Map());
    },
  });
  await expect(
    emit(
      ids.map((id) => changeOf(id)),
      ending.signal,
    ),
  ).rejects.toThrow('the process ends');
  expect(reads).toHaveLength(2);
});

test('an appointment that was published for another company is reported, and emitted for its own company only', async () => {
  const id = world.appointment({ updatedAt: UPDATED_AT });
  const earlier = 'e'.repeat(24);
  const { emit, enqueued } = createCaptureWorld(world, {
    companiesOf: () => Promise.resolve(new Map([[id, earlier]])),
  });
  expect((await emit([changeOf(id)])).moved).toEqual([id]);
  expect(enqueued.map(({ companyId }) => companyId)).toEqual([world.companyId]);
});

test('a state is emitted again if a worker without digests has published another one since', async () => {
  const id = world.appointment({ updatedAt: UPDATED_AT });
  await world.emit(id);
  const order = world.keys.order(world.companyId, id);
  const { emit } = createCaptureWorld(world);
  expect(await emit([changeOf(id)])).toMatchObject({ emitted: 0 });
  // Such a worker writes the time of its snapshot, and leaves the digest alone.
  await world.redis.hset(order, 'updatedAt', String(Date.parse(UPDATED_AT) + 1));
  expect(await world.redis.hget(order, 'digest')).toBe(digestOf(world.appointments.get(id)!));
  expect(await emit([changeOf(id)])).toMatchObject({ emitted: 1 });
});
