import type {
  AppointmentEvent,
  AppointmentPayload,
  DeletionPayload,
  EmissionMeta,
  Id,
  PositionUpdate,
  StreamPosition,
} from '@appointment-emissions/contracts';
import { coalesce } from '../batching.ts';
import {
  type ConfirmedSnapshot,
  eventToSend,
  type LogEntry,
  type LogRead,
  type TakeSnapshots,
} from '../domain/company-log.ts';
import { INVALID_POSITION, SCOPE_CHANGED } from './handshake.ts';
import { createRecent, type Recent } from './recent.ts';

export interface CatchUpSources {
  readLog: (companyId: Id, from: StreamPosition, limit: number) => Promise<LogRead>;
  head: (companyId: Id) => Promise<StreamPosition>;
  takeSnapshots: TakeSnapshots;
  /** Maximum number of emissions in one replay. */
  replayLimit: number;
}

export interface ReplayedEvent {
  event: AppointmentEvent;
  payload: AppointmentPayload | DeletionPayload;
  meta: EmissionMeta;
}

/** The emissions that a dashboard missed, in order, and its position after them. */
export interface Replay {
  events: ReplayedEvent[];
  position: PositionUpdate;
}

/**
 * Decides between replay and reload for a dashboard of a company. MongoDB is read once per appointment, not once per
 * dashboard: requests that arrive during a replay of their company are collected for the next one, and replays share
 * snapshots that were read in the last seconds and not emitted since. @throws the errors of Redis and MongoDB
 */
export type CatchUp = (companyId: Id, from: CatchUpFrom) => Promise<Replay>;

/**
 * `undefined`: the dashboard has no position yet. `invalid`: its position cannot be parsed, so it must reload. `scope`: it must
 * reload, since its scope has changed.
 */
export type CatchUpFrom = StreamPosition | typeof INVALID_POSITION | typeof SCOPE_CHANGED | undefined;

/** After a restart of a gateway its dashboards reconnect within some seconds: each waits for a random time. */
const SHARED_MS = 10_000;
const MAX_SHARED = 10_000;
const MAX_COLLECTED = 10_000;

export function createCatchUp(sources: CatchUpSources): CatchUp {
  const recent = createRecent<ConfirmedSnapshot>({ keptMs: SHARED_MS, max: MAX_SHARED });
  const replayers = new Map<Id, { replay: (from: StreamPosition) => Promise<Replay>; pending: number }>();

  return async (companyId, from) => {
    if (from === undefined) {
      return { events: [], position: { ...(await sources.head(companyId)), recovered: true } };
    }
    if (from === INVALID_POSITION || from === SCOPE_CHANGED) {
      return { events: [], position: { ...(await sources.head(companyId)), recovered: false, reason: from } };
    }
    let replayer = replayers.get(companyId);
    if (!replayer) {
      const run = (positions: readonly StreamPosition[]) => replayFrom(sources, recent, companyId, positions);
      replayer = { replay: coalesce({ run, maxBatch: MAX_COLLECTED }), pending: 0 };
      replayers.set(companyId, replayer);
    }
    replayer.pending += 1;
    try {
      return await replayer.replay(from);
    } finally {
      replayer.pending -= 1;
      if (replayer.pending === 0) replayers.delete(companyId);
    }
  };
}

/** One replay for each position, in their order. Equal positions get the same object, which is then encoded once. */
async function replayFrom(
  sources: CatchUpSources,
  recent: Recent<ConfirmedSnapshot>,
  companyId: Id,
  positions: readonly StreamPosition[],
): Promise<Replay[]> {
  const reads = await readLogOnceEach(sources, companyId, positions);
  const snapshots = await findSnapshots(sources, recent, companyId, reads);
  const publishedAt = new Date().toISOString();
  const replays = new Map(
    [...new Set(reads)].map((read) => [read, toReplay(companyId, read, snapshots, publishedAt)]),
  );
  return reads.map((read) => replays.get(read) as Replay);
}

/** Dashboards that were disconnected together have the same position: the log is read once for each distinct one. */
async function readLogOnceEach(
  { readLog, replayLimit }: CatchUpSources,
  companyId: Id,
  positions: readonly StreamPosition[],
): Promise<LogRead[]> {
  const reads = new Map<string, Promise<LogRead>>();
  return Promise.all(
    positions.map((position) => {
      const key = `${position.epoch} ${position.offset}`;
      const read = reads.get(key) ?? readLog(companyId, position, replayLimit);
      reads.set(key, read);
      return read;
    }),
  );
}

/** Snapshots of all appointments in these parts of a log: recent ones if they are new enough, else fresh ones. */
async function findSnapshots(
  { takeSnapshots }: CatchUpSources,
  recent: Recent<ConfirmedSnapshot>,
  companyId: Id,
  reads: readonly LogRead[],
): Promise<Map<Id, ConfirmedSnapshot>> {
  const snapshots = new Map<Id, ConfirmedSnapshot>();
  const wanted = new Set<Id>();
  for (const { head, entries } of reads) {
    for (const { appointmentId, offset } of entries) {
      const kept = recent.find(recentKey(companyId, appointmentId));
      // Confirmed after the entry was published, so it was read after that: as good as one that is read now.
      if (kept?.epoch === head.epoch && kept.offset >= offset) snapshots.set(appointmentId, kept);
      else wanted.add(appointmentId);
    }
  }
  for (const appointmentId of wanted) snapshots.delete(appointmentId);
  const taken = wanted.size > 0 ? await takeSnapshots(companyId, [...wanted]) : [];
  for (const [appointmentId, snapshot] of taken) {
    snapshots.set(appointmentId, snapshot);
    recent.keep(recentKey(companyId, appointmentId), snapshot);
  }
  return snapshots;
}

const recentKey = (companyId: Id, appointmentId: Id): string => `${companyId} ${appointmentId}`;

function toReplay(
  companyId: Id,
  { head, entries, missing }: LogRead,
  snapshots: ReadonlyMap<Id, ConfirmedSnapshot>,
  publishedAt: string,
): Replay {
  if (missing) return { events: [], position: { ...head, recovered: false, reason: missing } };
  const events = entries.flatMap((entry) => {
    const snapshot = snapshots.get(entry.appointmentId);
    return snapshot?.epoch === head.epoch ? [toEvent(companyId, entry, snapshot, publishedAt)] : [];
  });
  if (events.length === entries.length) return { events, position: { ...head, recovered: true } };
  const isOtherEpoch = [...snapshots.values()].some(({ epoch }) => epoch !== head.epoch);
  return { events, position: { ...head, recovered: false, reason: isOtherEpoch ? 'epoch' : 'gone' } };
}

function toEvent(
  companyId: Id,
  { event: announced, appointmentId, emissionId }: LogEntry,
  { appointment, epoch, offset, read }: ConfirmedSnapshot,
  publishedAt: string,
): ReplayedEvent {
  const event = eventToSend(announced, appointment);
  const position = { epoch, offset, read };
  const times = { attempt: 1, acceptedAt: publishedAt, publishedAt };
  return {
    event,
    payload: { appointment: appointment ?? { _id: appointmentId, companyId } },
    meta: { emissionId, event, ...position, ...times, replayed: true },
  };
}
