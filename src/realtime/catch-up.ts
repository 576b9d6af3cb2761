import type {
  AppointmentEvent,
  AppointmentPayload,
  AppointmentSnapshot,
  EmissionMeta,
  Id,
  StreamPosition,
  PositionUpdate,
  ReloadReason,
} from '@appointment-emissions/contracts';
import { coalesce } from '../batching.ts';
import { INVALID_POSITION } from './handshake.ts';
import { createRecentSnapshots, type RecentSnapshots } from './recent-snapshots.ts';

interface LogEntry {
  offset: number;
  event: AppointmentEvent;
  appointmentId: Id;
  emissionId: string;
}

interface LogRead {
  head: StreamPosition;
  entries: LogEntry[];
  missing?: ReloadReason;
}

type ConfirmedSnapshot = StreamPosition & { appointment: AppointmentSnapshot; read: number };

export interface CatchUpDeps {
  readLog: (companyId: Id, from: StreamPosition, limit: number) => Promise<LogRead>;
  head: (companyId: Id) => Promise<StreamPosition>;
  takeSnapshots: (companyId: Id, ids: readonly Id[]) => Promise<Map<Id, ConfirmedSnapshot>>;
  /** Most emissions that one replay may send. */
  replayLimit: number;
}

export interface ReplayedEvent {
  event: AppointmentEvent;
  payload: AppointmentPayload;
  meta: EmissionMeta;
}

/** What a dashboard missed, in order, and where it stands after it. */
export interface Replay {
  events: ReplayedEvent[];
  position: PositionUpdate;
}

/**
 * What a dashboard of a company missed since `from`. MongoDB is asked once for each appointment, not for each dashboard:
 * those that ask while a replay of their company is under way are collected for the next one, and replays share what was
 * read within some seconds, unless it was emitted again. @throws what Redis or MongoDB throw.
 */
export type CatchUp = (companyId: Id, from: CatchUpFrom) => Promise<Replay>;

/** `undefined`: it has no position yet. `invalid`: it gave one that could not be parsed, and must load the list. */
export type CatchUpFrom = StreamPosition | typeof INVALID_POSITION | undefined;

/** A gateway's dashboards come back within some seconds of its restart: each waits a random while. */
const SHARED_MS = 10_000;
const MOST_SHARED = 10_000;

export function createCatchUp(deps: CatchUpDeps): CatchUp {
  const recent = createRecentSnapshots<ConfirmedSnapshot>({ keptMs: SHARED_MS, most: MOST_SHARED });
  const byCompany = new Map<Id, (from: StreamPosition) => Promise<Replay>>();
  const waiting = new Map<Id, number>();

  return async (companyId, from) => {
    if (from === undefined) {
      return { events: [], position: { ...(await deps.head(companyId)), recovered: true } };
    }
    if (from === INVALID_POSITION) {
      const position = { ...(await deps.head(companyId)), recovered: false, reason: 'invalid' } as const;
      return { events: [], position };
    }
    let ask = byCompany.get(companyId);
    if (!ask) {
      ask = coalesce<StreamPosition, Replay>({
        run: (places) => replay(deps, recent, companyId, places),
        maxBatch: 10_000,
      });
      byCompany.set(companyId, ask);
    }
    waiting.set(companyId, (waiting.get(companyId) ?? 0) + 1);
    try {
      return await ask(from);
    } finally {
      const left = (waiting.get(companyId) ?? 1) - 1;
      if (left > 0) waiting.set(companyId, left);
      else {
        waiting.delete(companyId);
        byCompany.delete(companyId);
      }
    }
  };
}

async function replay(
  deps: CatchUpDeps,
  recent: RecentSnapshots<ConfirmedSnapshot>,
  companyId: Id,
  places: readonly StreamPosition[],
): Promise<Replay[]> {
  const reads = await readOnceEach(deps, companyId, places);
  const snapshots = new Map<Id, ConfirmedSnapshot>();
  const wanted = new Set<Id>();
  for (const { head, entries } of reads) {
    for (const { appointmentId, offset } of entries) {
      const kept = recent.find(companyId, appointmentId);
      // Confirmed after the entry was published, so read after it: as good as one read now, in its own place.
      if (kept?.epoch === head.epoch && kept.offset >= offset) snapshots.set(appointmentId, kept);
      else wanted.add(appointmentId);
    }
  }
  for (const appointmentId of wanted) snapshots.delete(appointmentId);
  const taken = wanted.size > 0 ? await deps.takeSnapshots(companyId, [...wanted]) : [];
  for (const [appointmentId, snapshot] of taken) {
    snapshots.set(appointmentId, snapshot);
    recent.keep(companyId, appointmentId, snapshot);
  }
  const publishedAt = new Date().toISOString();

  const replayOf = ({ head, entries, missing }: LogRead): Replay => {
    if (missing) return { events: [], position: { ...head, recovered: false, reason: missing } };
    const events = entries.flatMap((entry): ReplayedEvent[] => {
      const snapshot = snapshots.get(entry.appointmentId);
      if (snapshot?.epoch !== head.epoch) return [];
      const { appointment, epoch, offset, read } = snapshot;
      const { event, emissionId } = entry;
      const meta = {
        emissionId,
        event,
        epoch,
        offset,
        read,
        attempt: 1,
        acceptedAt: publishedAt,
        publishedAt,
      };
      return [{ event, payload: { appointment }, meta: { ...meta, replayed: true } }];
    });
    if (events.length === entries.length) return { events, position: { ...head, recovered: true } };
    const moved = [...snapshots.values()].some(({ epoch }) => epoch !== head.epoch);
    return { events, position: { ...head, recovered: false, reason: moved ? 'epoch' : 'gone' } };
  };
  // Those that stand at the same place are given the very same replay, which then is encoded once.
  const replays = new Map([...new Set(reads)].map((read) => [read, replayOf(read)]));
  return reads.map((read) => replays.get(read) as Replay);
}

/** Reads the log once for each distinct place: dashboards that were cut off together stand at the same one. */
async function readOnceEach(deps: CatchUpDeps, companyId: Id, places: readonly StreamPosition[]) {
  const reads = new Map<string, ReturnType<CatchUpDeps['readLog']>>();
  return Promise.all(
    places.map((place) => {
      const key = `${place.epoch} ${place.offset}`;
      const read = reads.get(key) ?? deps.readLog(companyId, place, deps.replayLimit);
      reads.set(key, read);
      return read;
    }),
  );
}
