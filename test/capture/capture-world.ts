import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import { createEmitCaptured, type EmitCapturedDeps } from '../../src/capture/emit-captured.ts';
import type { AppointmentChange, Change } from '../../src/domain/changes.ts';
import type { MissedEmission } from '../../src/domain/updated-rows.ts';
import { digestOf } from '../../src/emission/encode.ts';
import { createReadLastPublished, createRefuseEarlierReads } from '../../src/emission/last-published.ts';
import { isUnavailable } from '../../src/process/unavailable.ts';
import type { createEmissionWorld } from '../emission/emission-world.ts';

/** The comparison of changes with what was published, over the Redis and the appointments of an emission world. */
export function createCaptureWorld(
  world: ReturnType<typeof createEmissionWorld>,
  over: Partial<EmitCapturedDeps> = {},
) {
  const { redis, keys, appointments } = world;
  const enqueued: (MissedEmission & { isLive: boolean })[] = [];
  const entry = (id: Id): [Id, AppointmentSnapshot][] => {
    const found = appointments.get(id);
    return found ? [[id, found]] : [];
  };
  const emitCaptured = createEmitCaptured({
    load: (ids) => Promise.resolve(new Map(ids.flatMap(entry))),
    findRows: () => Promise.resolve([]),
    findReferring: () => Promise.resolve([]),
    companiesOf: () => Promise.resolve(new Map()),
    lastPublished: createReadLastPublished({ redis, keys, reportDamage: () => undefined }),
    refuseEarlierReads: createRefuseEarlierReads(redis, keys),
    digestOf,
    isCanceled: () => false,
    enqueue(emissions, { isLive }) {
      enqueued.push(...emissions.map((emission) => ({ ...emission, isLive })));
      return Promise.resolve();
    },
    concernsAllReads: isUnavailable,
    now: Date.now,
    ...over,
  });
  return {
    enqueued,
    emit: (changes: readonly Change[], signal = new AbortController().signal) =>
      emitCaptured(changes, { isLive: true, signal }),
  };
}

export const changeOf = (appointmentId: Id, over: Partial<AppointmentChange> = {}): AppointmentChange => ({
  kind: 'written',
  appointmentId,
  companyId: null,
  committedAt: null,
  clusterTime: '1',
  resumeToken: '',
  ...over,
});
