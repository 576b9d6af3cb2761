import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import type { RedisClient } from '../../src/redis/connect.ts';
import { createEmitAppointment, type EmitAppointment } from '../../src/emission/emit-appointment.ts';
import { createCompanyKeys } from '../../src/emission/keys.ts';
import { createPublish } from '../../src/emission/publish.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { createPackReferences } from '../../src/model/reference-guesses.ts';
import { createReadSnapshots } from '../../src/emission/read-snapshots.ts';
import { createTakeSnapshots } from '../../src/emission/take-snapshots.ts';
import { isUnavailable } from '../../src/process/unavailable.ts';
import { weakenScript } from '../harness/weaken-script.ts';
import { decodePlainly, encodePlainly } from './plain-encoding.ts';

/** One move of a schedule. A number is an index into the present items, modulo their count. */
export type Move =
  | { move: 'write'; appointment: number }
  /** The document is removed, once for each appointment. A later write creates it again. */
  | { move: 'delete'; appointment: number }
  /** A worker process takes the oldest job. */
  | { move: 'begin'; process: number }
  /** A running job starts again in another process, as after a stalled worker. */
  | { move: 'begin-again'; job: number; process: number }
  | { move: 'list' }
  /** A process that is stopped before or after a read continues until its next stop or its end. */
  | { move: 'go-on'; stop: number; fault?: 'read-fails' | 'reply-lost' }
  /** The oldest live message reaches the screen. */
  | { move: 'deliver' }
  /** The order token of an appointment expires. */
  | { move: 'forget'; appointment: number };

/** Weakens the mechanism, for the negative controls. */
export interface Weakness {
  /** Replaces text in the source of a script. */
  script?: { name: 'publish' | 'confirm'; from: string; to: string };
  /** The screen shows the snapshot that arrives last. */
  screenDoesNotCompare?: boolean;
}

export interface ScheduleResult {
  /** How often the screen went back to an earlier state of the database. */
  wentBack: number;
  /** Appointments whose last state is not on the screen at the end. */
  notLast: number;
}

const APPOINTMENTS = 2;
const PROCESSES = 3;

/**
 * Runs schedules with the real scripts on a real Redis, move by move. After each move everything is idle, except for
 * processes at a stop. So a schedule decides every interleaving of claims, reads, confirmations and deliveries.
 */
export function createScheduler(redisUrl: string) {
  const redis = new Redis(redisUrl, { replyMapping: 'legacy' });
  const subscriber = new Redis(redisUrl, { replyMapping: 'legacy' });

  async function run(moves: readonly Move[], weakness: Weakness = {}): Promise<ScheduleResult> {
    const companyId = randomBytes(12).toString('hex');
    const ids = Array.from({ length: APPOINTMENTS }, () => randomBytes(12).toString('hex'));
    const channel = `screen-of-${companyId}`;
    const keys = createCompanyKeys('{schedule}');

    // The database: a version for each appointment, which is in its notes. A deletion is a version too: since there is one
    // for each appointment, the screen can tell which version it is.
    const versions = new Map<Id, number>(ids.map((id) => [id, 1]));
    const deletions = new Map<Id, number>();
    const isDeleted = (id: Id) => deletions.get(id) === versions.get(id);
    const snapshot = (id: Id) =>
      ({ _id: id, companyId, notes: String(versions.get(id)) }) as AppointmentSnapshot;
    const versionOf = (id: Id, notes: string | null | undefined): number =>
      notes === undefined ? (deletions.get(id) ?? Number.NaN) : Number(notes);

    // The processes that are stopped.
    const stops: { goOn: (fault?: 'read-fails') => void; atConfirm: boolean }[] = [];
    const stop = (atConfirm = false) =>
      new Promise<'read-fails' | undefined>((goOn) => stops.push({ goOn, atConfirm }));
    const load = async (wanted: readonly Id[]) => {
      if ((await stop()) === 'read-fails') throw new Error('operation exceeded time limit');
      const read = new Map(wanted.flatMap((id) => (isDeleted(id) ? [] : [[id, snapshot(id)]])));
      await stop(true);
      return read;
    };

    const wire = wiretap(redis, weakness);
    const readSnapshots = createReadSnapshots({ redis: wire.redis, keys, load });
    const pause = async () => {
      await stop();
    };
    const processes = Array.from({ length: PROCESSES }, () =>
      createEmitAppointment({
        readSnapshots,
        encode: encodePlainly(channel),
        publish: createPublish(wire.redis, { keys, logMax: 100 }),
        packReferences: createPackReferences(DEFAULT_MODEL),
        isUnavailable,
        pause,
      }),
    );
    const takeSnapshots = createTakeSnapshots({ redis: wire.redis, keys, readSnapshots, pause });

    // The screen shows a snapshot if its (offset, read) is above the one that it shows.
    const shown = new Map<Id, { offset: number; read: number; version: number }>();
    const result: ScheduleResult = { wentBack: 0, notLast: 0 };
    function show(id: Id, offset: number, read: number, version: number): void {
      const old = shown.get(id);
      const above = !old || offset > old.offset || (offset === old.offset && read > old.read);
      if (!above && !weakness.screenDoesNotCompare) return;
      if (old && version < old.version) result.wentBack += 1;
      shown.set(id, { offset, read, version });
    }
    const live: (() => void)[] = [];
    const onMessage = (to: string | Buffer, message: Buffer): void => {
      if (to.toString() !== channel) return;
      const { id, notes, offset } = decodePlainly(message);
      live.push(() => {
        show(id, offset, 0, versionOf(id, notes));
      });
    };
    subscriber.on('messageBuffer', onMessage);
    await subscriber.subscribe(channel);

    // Jobs: each write is emitted, and retried until it is published.
    const waiting: Id[] = [];
    const begun: Id[] = [];
    let running = 0;
    let emissions = 0;
    function begin(appointmentId: Id, process: number): void {
      const emit = processes[process % PROCESSES] as EmitAppointment;
      running += 1;
      emissions += 1;
      emit({
        event: isDeleted(appointmentId) ? 'appointment:deleted' : 'appointment:updated',
        appointmentId,
        companyId,
        emissionId: `e${emissions}`,
        acceptedAt: new Date().toISOString(),
        attempt: 1,
        isRepeated: () => false,
        isLive: true,
      })
        .catch(() => waiting.push(appointmentId))
        .finally(() => (running -= 1));
    }
    function list(): void {
      running += 1;
      takeSnapshots(companyId, ids)
        .then(async (taken) => {
          await stop();
          for (const [id, { appointment, offset, read }] of taken) {
            show(id, offset, read, versionOf(id, appointment?.notes));
          }
        })
        .catch(() => undefined)
        .finally(() => (running -= 1));
    }
    /** Resolves when all processes are stopped or have ended, and all published messages have arrived. */
    async function still(): Promise<void> {
      let before;
      do {
        before = wire.commands();
        await wire.answered();
        for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      } while (wire.commands() !== before);
      await subscriber.ping();
    }

    async function make(move: Move): Promise<void> {
      switch (move.move) {
        case 'write': {
          const id = pick(ids, move.appointment)!;
          versions.set(id, (versions.get(id) ?? 0) + 1);
          waiting.push(id);
          return;
        }
        case 'delete': {
          const id = pick(ids, move.appointment)!;
          if (deletions.has(id)) return;
          deletions.set(id, (versions.get(id) ?? 0) + 1);
          versions.set(id, (versions.get(id) ?? 0) + 1);
          waiting.push(id);
          return;
        }
        case 'begin': {
          const id = waiting.shift();
          if (id === undefined) return;
          begun.push(id);
          begin(id, move.process);
          break;
        }
        case 'begin-again': {
          const id = pick(begun, move.job);
          if (id === undefined) return;
          begin(id, move.process);
          break;
        }
        case 'list':
          list();
          break;
        case 'go-on': {
          const [stopped] = stops.splice(move.stop % Math.max(stops.length, 1), 1);
          if (!stopped) return;
          if (move.fault === 'reply-lost' && stopped.atConfirm) wire.loseNextReply();
          stopped.goOn(move.fault === 'read-fails' ? 'read-fails' : undefined);
          break;
        }
        case 'deliver':
          live.shift()?.();
          return;
        case 'forget':
          await redis.del(keys.order(companyId, pick(ids, move.appointment)!));
          return;
        default:
          move satisfies never;
      }
      await still();
    }

    for (const move of moves) await make(move);
    // All stopped processes end now, oldest first, without faults.
    while (waiting.length > 0 || running > 0) {
      if (waiting.length > 0) await make({ move: 'begin', process: 0 });
      else await make({ move: 'go-on', stop: 0 });
    }
    for (const deliver of live.splice(0)) deliver();

    for (const [id, { version }] of shown) if (version !== versions.get(id)) result.notLast += 1;
    subscriber.off('messageBuffer', onMessage);
    await subscriber.unsubscribe(channel);
    return result;
  }

  return {
    run,
    close() {
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}

const pick = <T>(among: readonly T[], index: number): T | undefined => among[index % among.length];

/** Counts commands, loses replies, and replaces the source of a weakened script. */
function wiretap(redis: Redis, { script }: Weakness) {
  let commands = 0;
  let replyToLose = false;
  const inFlight = new Set<Promise<unknown>>();
  const weak = script && weakenScript(script.name, script.from, script.to);

  function tap(command: () => Promise<unknown>): Promise<unknown> {
    const lost = replyToLose;
    replyToLose = false;
    commands += 1;
    const reply = command().then((answer) => {
      if (lost) throw new Error('Command timed out');
      return answer;
    });
    const settled = reply.catch(() => undefined).finally(() => inFlight.delete(settled));
    inFlight.add(settled);
    return reply;
  }
  type Args = [keys: number, ...rest: (string | number | Buffer)[]];
  const tapped = {
    evalsha: (digest: string, ...args: Args) =>
      tap(() =>
        weak?.digest === digest ? redis.eval(weak.source, ...args) : redis.evalsha(digest, ...args),
      ),
    eval: (source: string, ...args: Args) => tap(() => redis.eval(source, ...args)),
  };
  return {
    redis: tapped as unknown as RedisClient,
    commands: () => commands,
    answered: async () => {
      while (inFlight.size > 0) await Promise.all(inFlight);
    },
    loseNextReply: () => {
      replyToLose = true;
    },
  };
}
