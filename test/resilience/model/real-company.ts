import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import {
  APPOINTMENT_DELETED,
  type Id,
  type PositionUpdate,
  type StreamPosition,
} from '@appointment-emissions/contracts';
import type { ReceivedEvent } from '../../../packages/dashboard/src/reorder-buffer.ts';
import { createCompanyLog } from '../../../src/emission/company-log.ts';
import { createEmitAppointment } from '../../../src/emission/emit-appointment.ts';
import { createCompanyKeys } from '../../../src/emission/keys.ts';
import { createPublish } from '../../../src/emission/publish.ts';
import { DEFAULT_MODEL } from '../../../src/model/default-model.ts';
import { createPackReferences } from '../../../src/model/reference-guesses.ts';
import { createReadSnapshots } from '../../../src/emission/read-snapshots.ts';
import { createTakeSnapshots } from '../../../src/emission/take-snapshots.ts';
import { createListAppointments } from '../../../src/http/routes/list-appointments.ts';
import { createCatchUp } from '../../../src/realtime/catch-up.ts';
import { appointment, meta } from '../../dashboard/appointment-fixture.ts';
import type { Company, ListReply, Packet, Process, Written } from '../../dashboard/model/company.ts';
import { decodePlainly, encodePlainly } from '../../emission/plain-encoding.ts';
import { tapRedis, type Weakness } from './tapped-redis.ts';

const LOG_MAX = 4;
const WORKERS = 2;

export interface Weaknesses {
  scripts?: readonly Weakness[];
  /** The gateway answers that nothing was missed. */
  replaysNothing?: boolean;
}

/**
 * The server side of one company for the model's dashboards: the real scripts on a real Redis, the real pipeline, list
 * and catch-up, over a database in memory. Whoever is about to read, or to send a script, waits at a stop until the
 * schedule lets him go on.
 */
export function createRealCompany(
  redis: Redis,
  subscriber: Redis,
  ids: readonly Id[],
  { scripts = [], replaysNothing = false }: Weaknesses = {},
) {
  const companyId = randomBytes(12).toString('hex');
  const channel = `model-${companyId}`;
  const companyKeys = createCompanyKeys('{model}');
  const database = new Map<Id, Written>(ids.map((id) => [id, { version: 0, inside: true, status: 'new' }]));
  /** What was written by the one deletion of an appointment. A later write creates the document again. */
  const deletions = new Map<Id, Written>();
  const stops: (() => void)[] = [];
  const stop = () => new Promise<void>((goOn) => stops.push(goOn));
  const tap = tapRedis(redis, stop, scripts);
  const listeners: ((arrival: ReceivedEvent) => void)[] = [];
  const kept = new Map<string, Buffer>();
  let head: StreamPosition = { epoch: '', offset: 0 };
  let failingReplies = 0;
  let sentWhenStill = 0;

  const load = async (wanted: readonly Id[]) => {
    await stop();
    if (failingReplies > 0) {
      failingReplies -= 1;
      throw new Error('operation exceeded time limit');
    }
    return new Map(wanted.flatMap((id) => (database.get(id)!.isDeleted ? [] : [[id, snapshot(id)]])));
  };
  const snapshot = (_id: Id) => appointment({ _id, companyId, notes: JSON.stringify(database.get(_id)) });
  const readSnapshots = createReadSnapshots({ redis: tap.redis, keys: companyKeys, load });
  const takeSnapshots = createTakeSnapshots({
    redis: tap.redis,
    keys: companyKeys,
    readSnapshots,
    pause: stop,
  });
  const log = createCompanyLog(tap.redis, { keys: companyKeys });
  const workers = Array.from({ length: WORKERS }, () =>
    createEmitAppointment({
      readSnapshots,
      encode: encodePlainly(channel),
      publish: createPublish(tap.redis, { keys: companyKeys, logMax: LOG_MAX }),
      packReferences: createPackReferences(DEFAULT_MODEL),
      isUnavailable: () => false,
      pause: stop,
    }),
  );
  const catchUp = createCatchUp({
    ...{ readLog: log.after, head: log.head, takeSnapshots, replayLimit: 100 },
    turns: { read: (_kind, _companyId, run) => run() },
  });

  /**
   * The server sends a deletion with ids only. The model's dashboards read its version from `notes`; it is known, since an
   * appointment is deleted once.
   */
  function withVersion(event: ReceivedEvent): ReceivedEvent {
    if (event.meta.event !== APPOINTMENT_DELETED) return event;
    const { _id } = event.payload.appointment;
    const deleted = { _id, companyId, notes: JSON.stringify(deletions.get(_id)) };
    return { ...event, payload: { appointment: deleted } };
  }
  const onMessage = (to: Buffer, message: Buffer): void => {
    if (to.toString() === channel) for (const listener of listeners) listener(withVersion(receive(message)));
  };
  subscriber.on('messageBuffer', onMessage);

  let jobs = 0;
  function* publish(appointmentId: Id): Process {
    jobs += 1;
    const [worker, emissionId] = [workers[jobs % WORKERS]!, `e${jobs}`];
    const acceptedAt = '2026-11-23T08:00:00.000Z';
    for (let attempt = 1; ; attempt += 1) {
      yield;
      const event = database.get(appointmentId)!.isDeleted ? APPOINTMENT_DELETED : 'appointment:updated';
      const job = { event, appointmentId, companyId, emissionId, acceptedAt } as const;
      if ((yield* settled(worker({ ...job, attempt, isRepeated: () => attempt > 1, isLive: true }))).ok)
        return;
    }
  }

  function* replay(
    from: StreamPosition | undefined,
    send: (packet: Packet) => void,
  ): Generator<undefined, PositionUpdate> {
    const answer = yield* settled(catchUp(companyId, from));
    if (!answer.ok) return { ...(from ?? head), recovered: false, reason: 'unavailable' };
    const { events, position } = answer.value;
    if (replaysNothing) return { ...position, recovered: true };
    for (const { payload, meta } of events) send({ kind: 'event', event: withVersion({ payload, meta }) });
    return position;
  }

  function* list(): Generator<undefined, ListReply> {
    for (;;) {
      let found = new Map<Id, Written>();
      const listAppointments = createListAppointments({
        head: log.head,
        takeSnapshots,
        findIds: async () => {
          await stop();
          found = new Map([...database].map(([id, written]) => [id, { ...written }]));
          return [...found].flatMap(([id, { inside, isDeleted }]) => (inside && !isDeleted ? [id] : []));
        },
      });
      const answer = yield* settled(listAppointments({ companyId, from: 0, to: 1 }));
      if (answer.ok) return { list: answer.value, found };
    }
  }

  const company: Company = {
    database,
    place: () => head,
    publish,
    replay,
    list,
    onPublished: (listener) => void listeners.push(listener),
    write(id, { isDeleted = false, ...change }) {
      const isFirstDeletion = isDeleted && !deletions.has(id);
      const version = database.get(id)!.version + 1;
      const written = { version, ...change, ...(isFirstDeletion && { isDeleted }) };
      if (isFirstDeletion) deletions.set(id, written);
      database.set(id, written);
      return publish(id);
    },
    trim: () => undefined,
    /** MongoDB does not answer the next read in time. */
    failNextReply() {
      failingReplies += 1;
    },
    flush: () => undefined,
  };

  const keys = () => redis.keys(`{model:company:${companyId}}:*`);
  return {
    company,
    stops,
    subscribe: () => subscriber.subscribe(channel),
    /** What a gateway would announce. */
    async readHead(): Promise<void> {
      head = await createCompanyLog(redis, { keys: companyKeys }).head(companyId);
    },
    /** No actor is running: each waits at a stop or has ended, and all published messages have arrived. */
    async still(): Promise<void> {
      const sentUntilNow = sentWhenStill;
      let before;
      do {
        before = tap.sent;
        await tap.answered();
        for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      } while (tap.sent !== before || !tap.isQuiet);
      sentWhenStill = tap.sent;
      if (sentWhenStill !== sentUntilNow) await subscriber.ping();
    },
    /** The log expires. */
    trim: () => redis.del(companyKeys.log(companyId)),
    /** An order token expires. */
    forget: (id: Id) => redis.del(companyKeys.order(companyId, id)),
    /** Redis is emptied. */
    async flush(): Promise<void> {
      for (const key of await keys()) await redis.del(key);
    },
    /** A replica receives all writes until now. */
    async replicate(): Promise<void> {
      kept.clear();
      for (const key of await keys()) kept.set(key, await redis.dumpBuffer(key));
    },
    /** It takes over: later writes are lost, and the history is another one. */
    async failOver(): Promise<void> {
      for (const key of await keys()) await redis.del(key);
      for (const [key, value] of kept) await redis.restore(key, 0, value, 'REPLACE');
      const position = companyKeys.position(companyId);
      if ((await redis.exists(position)) === 1) await redis.hset(position, 'history', 'of another server');
    },
    async close(): Promise<void> {
      subscriber.off('messageBuffer', onMessage);
      await subscriber.unsubscribe(channel);
      for (const key of await keys()) await redis.del(key);
    },
  };
}

type Settled<T> = { ok: true; value: T } | { ok: false };

/** Takes its turn, however often it has to, until the promise has settled. */
function* settled<T>(promise: Promise<T>): Generator<undefined, Settled<T>> {
  let outcome: Settled<T> | undefined;
  promise.then(
    (value) => (outcome = { ok: true, value }),
    () => (outcome = { ok: false }),
  );
  while (outcome === undefined) yield;
  return outcome;
}

function receive(message: Buffer): ReceivedEvent {
  const { id, event, notes = '', epoch, offset } = decodePlainly(message);
  return { payload: { appointment: appointment({ _id: id, notes }) }, meta: meta({ epoch, offset, event }) };
}
