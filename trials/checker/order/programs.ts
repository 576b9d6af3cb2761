import {
  type AppointmentEvent,
  type AppointmentSnapshot,
  companyRoom,
  type Id,
} from '@appointment-emissions/contracts';
import type { TakeSnapshots } from '../../../src/domain/company-log.ts';
import { createCompanyLog } from '../../../src/emission/company-log.ts';
import { createEmitAppointment } from '../../../src/emission/emit-appointment.ts';
import type { EncodeMessage } from '../../../src/emission/encode.ts';
import { createCompanyKeys } from '../../../src/emission/keys.ts';
import { createPublish } from '../../../src/emission/publish.ts';
import { createReadSnapshots } from '../../../src/emission/read-snapshots.ts';
import { createTakeSnapshots } from '../../../src/emission/take-snapshots.ts';
import { AppError } from '../../../src/errors.ts';
import { createListAppointments } from '../../../src/http/routes/list-appointments.ts';
import { isUnavailable } from '../../../src/process/unavailable.ts';
import { createCatchUp, type CatchUpFrom } from '../../../src/realtime/catch-up.ts';
import type { Program, Surroundings } from './run-process.ts';

/** An emission that waits in the queue. */
export interface Job {
  event: AppointmentEvent;
  appointmentId: Id;
  /** The company that the emission was accepted for. */
  companyId: Id;
}

/** What a process runs. */
export type Task =
  | { run: 'emit'; jobs: Job[] }
  | { run: 'list'; companyId: Id }
  | { run: 'catch-up'; companyId: Id; from: CatchUpFrom | null }
  | { run: 'head'; companyId: Id };

/** How an emission ended: `retry` means that its job runs again. */
export type JobOutcome = 'published' | 'refused' | 'retry';

export const companyKeys = createCompanyKeys('{check}');
/** More entries than a run has. */
const LOG_MAX = 100;
const REPLAY_LIMIT = 100;

/** The code of the project that carries out a task, composed as in production. */
export function programFor(task: Task): Program {
  switch (task.run) {
    case 'emit':
      return emitProgram(task.jobs);
    case 'list':
      return list(task.companyId);
    case 'catch-up':
      return catchUp(task.companyId, task.from ?? undefined);
    case 'head':
      return ({ redis }) => createCompanyLog(redis, { keys: companyKeys }).head(task.companyId);
    default:
      return task satisfies never;
  }
}

/**
 * A worker that takes these jobs at the same time. Several become one batch of the bulk queue.
 * @param digestOf  if capture is on
 */
export function emitProgram(
  jobs: readonly Job[],
  digestOf?: (snapshot: AppointmentSnapshot) => string,
): Program {
  return async (surroundings) => {
    const emitAppointment = createEmitAppointment({
      readSnapshots: readSnapshotsOf(surroundings),
      encode: encodeAsJson,
      publish: createPublish(surroundings.redis, { keys: companyKeys, logMax: LOG_MAX }),
      packReferences: () => '',
      digestOf,
      isUnavailable,
      pause: () => Promise.resolve(),
      now: () => 0,
    });
    const isLive = jobs.length === 1;
    const ended = jobs.map(async (job): Promise<JobOutcome> => {
      try {
        await emitAppointment({
          ...job,
          emissionId: emissionIdOf(job.appointmentId),
          acceptedAt: '',
          attempt: 1,
          isRepeated: () => false,
          isLive,
        });
        return 'published';
      } catch (error) {
        return error instanceof AppError ? 'refused' : 'retry';
      }
    });
    return Promise.all(ended);
  };
}

/** Emissions of one appointment have the same id: nothing that the order depends on reads it. */
const emissionIdOf = (appointmentId: Id): string => `of-${appointmentId.slice(-2)}`;

function list(companyId: Id): Program {
  return (surroundings) => {
    const { head } = createCompanyLog(surroundings.redis, { keys: companyKeys });
    const listAppointments = createListAppointments({
      head,
      findIds: async (request) => (await surroundings.find(request.companyId)) as Id[],
      takeSnapshots: takeSnapshotsOf(surroundings),
    });
    return listAppointments({ companyId, from: 0, to: 1 });
  };
}

function catchUp(companyId: Id, from: CatchUpFrom): Program {
  return async (surroundings) => {
    const log = createCompanyLog(surroundings.redis, { keys: companyKeys });
    const replay = await createCatchUp({
      readLog: log.after,
      head: log.head,
      takeSnapshots: takeSnapshotsOf(surroundings),
      turns: { read: (_kind, _companyId, run) => run() },
      replayLimit: REPLAY_LIMIT,
    })(companyId, from);
    const events = replay.events.map(({ payload, meta }) => {
      const { event, epoch, offset, read } = meta;
      return { payload, meta: { event, epoch, offset, read } };
    });
    return { events, position: replay.position };
  };
}

function readSnapshotsOf({ redis, load }: Surroundings) {
  return createReadSnapshots({
    redis,
    keys: companyKeys,
    load: async (ids) => new Map((await load(ids)) as [Id, AppointmentSnapshot][]),
  });
}

function takeSnapshotsOf(surroundings: Surroundings): TakeSnapshots {
  return createTakeSnapshots({
    redis: surroundings.redis,
    keys: companyKeys,
    readSnapshots: readSnapshotsOf(surroundings),
    pause: () => Promise.resolve(),
  });
}

/** The Redis emitter's encoding has its own test. `decodeMessage` reads this one. */
const encodeAsJson: EncodeMessage = (appointment, { event }) => ({
  channel: companyRoom(appointment.companyId),
  head: Buffer.from(JSON.stringify({ appointment, event })),
  tail: Buffer.alloc(0),
});

/** The bytes that the publish script adds: a type, the epoch, a key and its type, the offset. */
const STAMP_BYTES = { epoch: 17, key: 8, offset: 8 };

/** A published message, as a dashboard receives it. */
export function decodeMessage(message: string) {
  const bytes = Buffer.from(message, 'latin1');
  const headEnd = bytes.length - STAMP_BYTES.epoch - STAMP_BYTES.key - STAMP_BYTES.offset;
  const { appointment, event } = JSON.parse(bytes.subarray(0, headEnd).toString('latin1')) as {
    appointment: AppointmentSnapshot;
    event: AppointmentEvent;
  };
  const epoch = bytes.subarray(headEnd + 1, headEnd + STAMP_BYTES.epoch).toString('latin1');
  const offset = Number(bytes.readBigUInt64BE(bytes.length - STAMP_BYTES.offset));
  return { payload: { appointment }, meta: { event, epoch, offset, read: 0 } };
}
