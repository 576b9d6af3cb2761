import type {
  AppointmentList,
  EmissionMeta,
  StreamPosition,
  PositionUpdate,
} from '@appointment-emissions/contracts';
import { hasSnapshot, type ReceivedEvent } from '../../../packages/dashboard/src/reorder-buffer.ts';
import { appointment, meta } from '../appointment-fixture.ts';

/** A concurrent activity. At each `yield` any other activity may run. */
export type Process = Generator<undefined, void>;

/** An appointment in the model's database: the number of its writes, and whether the range of the list contains it. */
export interface Written {
  version: number;
  inside: boolean;
  status: string;
  isDeleted?: boolean;
}

export type Packet =
  | { kind: 'event'; event: ReceivedEvent }
  | { kind: 'position'; position: PositionUpdate }
  | { kind: 'reply'; from: StreamPosition; position: PositionUpdate };

export interface ListReply {
  list: AppointmentList;
  /** Content of the database when the appointments of the list were looked up. */
  found: Map<string, Written>;
}

const LOG_MAX = 4;

/** A model of the server for one company: claim → read → confirm, a company log with offsets, and an epoch. */
export function createCompany(ids: readonly string[]) {
  const database = new Map<string, Written>(
    ids.map((id) => [id, { version: 0, inside: true, status: 'new' }]),
  );
  let tokens = new Map<string, object>();
  let epoch = 1;
  let offset = 0;
  let reads = 0;
  let log: { offset: number; id: string }[] = [];
  let failingReplies = 0;
  let onPublished: (event: ReceivedEvent) => void = () => undefined;

  const place = () => ({ epoch: `e${epoch}`, offset });

  /** Takes a confirmed snapshot. Returns the result of `confirmed`. */
  function* snapshot<T>(id: string, confirmed: (written: Written) => T): Generator<undefined, T> {
    for (;;) {
      const claimed = tokens.get(id) ?? {};
      tokens.set(id, claimed);
      yield;
      const written = { ...database.get(id)! };
      yield;
      if (tokens.get(id) !== claimed) continue;
      tokens.set(id, {});
      return confirmed(written);
    }
  }

  function eventOf(id: string, written: Written, fields: Partial<EmissionMeta> = {}): ReceivedEvent {
    const notes = JSON.stringify(written);
    if (written.isDeleted) {
      // `notes` holds the version for the model's dashboard. The server sends ids only.
      const deleted = { _id: id, companyId: '', notes };
      return {
        payload: { appointment: deleted },
        meta: meta({ ...place(), ...fields, event: 'appointment:deleted' }),
      };
    }
    return {
      payload: { appointment: appointment({ _id: id, notes, status: written.status }) },
      meta: meta({ ...place(), ...fields }),
    };
  }

  function* publish(id: string): Process {
    yield;
    yield* snapshot(id, (written) => {
      offset += 1;
      log = [...log, { offset, id }].slice(-LOG_MAX);
      onPublished(eventOf(id, written));
    });
  }

  function* replay(
    from: StreamPosition | undefined,
    send: (packet: Packet) => void,
  ): Generator<undefined, PositionUpdate> {
    const head = place();
    if (failingReplies > 0) {
      failingReplies -= 1;
      return { ...head, recovered: false, reason: 'unavailable' };
    }
    if (from === undefined) return { ...head, recovered: true };
    if (from.epoch !== head.epoch) return { ...head, recovered: false, reason: 'epoch' };
    if (from.offset < head.offset - log.length) return { ...head, recovered: false, reason: 'trimmed' };
    const missed = new Set(log.filter((entry) => entry.offset > from.offset).map(({ id }) => id));
    const packets: Packet[] = [];
    for (const id of missed) {
      const replayed = yield* snapshot(id, (written) => eventOf(id, written, { read: (reads += 1) }));
      if (place().epoch !== head.epoch) return { ...place(), recovered: false, reason: 'epoch' };
      packets.push({ kind: 'event', event: replayed });
    }
    packets.forEach(send);
    return { ...head, recovered: true };
  }

  function* list(): Generator<undefined, ListReply> {
    for (;;) {
      const head = place();
      yield;
      const found = new Map([...database].map(([id, written]) => [id, { ...written }]));
      const rows: AppointmentList['appointments'] = [];
      for (const [id, { inside, isDeleted }] of found) {
        if (!inside || isDeleted) continue;
        const row = yield* snapshot(id, (written) => eventOf(id, written, { read: (reads += 1) }));
        if (hasSnapshot(row)) rows.push({ ...row.payload, offset: row.meta.offset, read: row.meta.read });
      }
      if (place().epoch === head.epoch) return { list: { ...head, appointments: rows }, found };
    }
  }

  return {
    database,
    place,
    publish,
    replay,
    list,
    onPublished(listener: typeof onPublished): void {
      onPublished = listener;
    },
    /** Writes or deletes an appointment, and emits it as the bot would. */
    write(id: string, change: Omit<Written, 'version'>): Process {
      database.set(id, { version: database.get(id)!.version + 1, ...change });
      return publish(id);
    },
    trim(): void {
      log = [];
    },
    /** Makes Redis unavailable for the next reply. */
    failNextReply(): void {
      failingReplies += 1;
    },
    /** Empties Redis: order tokens, log and position are lost, and offsets start again. */
    flush(): void {
      epoch += 1;
      offset = 0;
      log = [];
      tokens = new Map();
    },
  };
}

export type Company = ReturnType<typeof createCompany>;
