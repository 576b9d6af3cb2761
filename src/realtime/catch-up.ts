import type {
  AppointmentEvent,
  AppointmentPayload,
  DeletionPayload,
  EmissionMeta,
  Id,
  PositionUpdate,
  StreamPosition,
} from '@appointment-emissions/contracts';
import type { CompanyTurns } from '../access/company-turns.ts';
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
  turns: Pick<CompanyTurns, 'read'>;
  /** Maximum number of emissions in one replay. */
  replayLimit: number;
}

export interface ReplayedEvent {
  event: AppointmentEvent;
  payload: AppointmentPayload | DeletionPayload;
  meta: EmissionMeta;
}

/**
 * The emissions that a dashboard missed, in order, and its position after them. Replays of one read of the log share their objects:
 * the events of each are the end of those of the longest one.
 */
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
      const run = (positions: readonly StreamPosition[]) =>
        sources.turns.read('replay', companyId, () => replayFrom(sources, recent, companyId, positions));
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
  const parts = await readLogAfterEach(sources, companyId, positions);
  const reads = new Set(parts.map(({ read }) => read));
  const snapshots = await findSnapshots(sources, recent, companyId, reads);
  const publishedAt = new Date().toISOString();
  const events = new Map([...reads].map((read) => [read, toEvents(companyId, read, snapshots, publishedAt)]));
  const replays = new Map(
    [...new Set(parts)].map((part) => [part, toReplay(part, events.get(part.read) as ReadEvents)]),
  );
  return parts.map((part) => replays.get(part) as Replay);
}

/** The log after a position, as the end of a read from a lower one: positions share the read, so that each entry is visited once. */
interface LogPart {
  read: LogRead;
  /** Entries before the position. */
  skipped: number;
}

/**
 * The log after each position, in their order; equal positions get the same object. One read, from the lowest position that can be
 * replayed, serves all later ones, so that dashboards that were disconnected at different times cost Redis no more.
 */
async function readLogAfterEach(
  { readLog, replayLimit }: CatchUpSources,
  companyId: Id,
  positions: readonly StreamPosition[],
): Promise<LogPart[]> {
  const keyOf = ({ epoch, offset }: StreamPosition): string => `${epoch} ${offset}`;
  const parts = new Map<string, LogPart>();
  let unread = [...new Map(positions.map((position) => [keyOf(position), position])).values()].sort(
    (a, b) => a.offset - b.offset,
  );
  for (let [lowest] = unread; lowest; [lowest] = unread) {
    const read = await readLog(companyId, lowest, replayLimit);
    parts.set(keyOf(lowest), { read, skipped: 0 });
    for (const position of unread.slice(1)) {
      const part = partAfter(position, read, lowest, replayLimit);
      if (part) parts.set(keyOf(position), part);
    }
    unread = unread.filter((position) => !parts.has(keyOf(position)));
  }
  return positions.map((position) => parts.get(keyOf(position)) as LogPart);
}

/** What a read from a lower position shows about this one. Undefined if that is not known. */
function partAfter(
  { epoch, offset }: StreamPosition,
  read: LogRead,
  lowest: StreamPosition,
  limit: number,
): LogPart | undefined {
  const { head } = read;
  if (epoch !== head.epoch || offset > head.offset)
    return { read: { head, entries: [], missing: 'epoch' }, skipped: 0 };
  if (head.offset - offset > limit) return { read: { head, entries: [], missing: 'too-many' }, skipped: 0 };
  return read.missing ? undefined : { read, skipped: offset - lowest.offset };
}

/** Snapshots of all appointments in these reads of a log: recent ones if they are new enough, else fresh ones. */
async function findSnapshots(
  { takeSnapshots }: CatchUpSources,
  recent: Recent<ConfirmedSnapshot>,
  companyId: Id,
  reads: Iterable<LogRead>,
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

/** The events of one read of a log. */
interface ReadEvents {
  /** For each entry; undefined if its appointment has no snapshot of the log's epoch. */
  events: (ReplayedEvent | undefined)[];
  /** Index of the last undefined one, or -1. */
  lastMissing: number;
  /** The position after them: of replays without a missing event, and of the others. The replays share them. */
  position: { complete: PositionUpdate; incomplete: PositionUpdate };
}

function toEvents(
  companyId: Id,
  { head, entries, missing }: LogRead,
  snapshots: ReadonlyMap<Id, ConfirmedSnapshot>,
  publishedAt: string,
): ReadEvents {
  const events = entries.map((entry) => {
    const snapshot = snapshots.get(entry.appointmentId);
    return snapshot?.epoch === head.epoch ? toEvent(companyId, entry, snapshot, publishedAt) : undefined;
  });
  const isOtherEpoch = [...snapshots.values()].some(({ epoch }) => epoch !== head.epoch);
  const reason = missing ?? (isOtherEpoch ? 'epoch' : 'gone');
  return {
    events,
    lastMissing: events.lastIndexOf(undefined),
    position: {
      complete: { ...head, recovered: true },
      incomplete: { ...head, recovered: false, reason },
    },
  };
}

function toReplay({ read, skipped }: LogPart, { events, lastMissing, position }: ReadEvents): Replay {
  if (read.missing) return { events: [], position: position.incomplete };
  const missed = events.slice(skipped);
  if (lastMissing < skipped) return { events: missed as ReplayedEvent[], position: position.complete };
  return { events: missed.filter((event) => event !== undefined), position: position.incomplete };
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
