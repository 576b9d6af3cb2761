import type { AppointmentEvent, AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import { startCapture } from '../../../src/capture/capture.ts';
import { createEmitCaptured } from '../../../src/capture/emit-captured.ts';
import { type Change, type EndReason, type OpenChanges, StreamEnded } from '../../../src/domain/changes.ts';
import { createReadLastPublished, createRefuseEarlierReads } from '../../../src/emission/last-published.ts';
import { createAcquireLease } from '../../../src/redis/lease.ts';
import { companyKeys, emitProgram } from '../order/programs.ts';
import { type Program, redisOf } from '../run-code.ts';

export const COMPANY: Id = 'c1'.padStart(24, 'c');
export const LOCK_KEY = '{check}:capture:lock';
const TOKEN_KEY = '{check}:capture:token';

/** The timers of the capture have different times, so that the model can tell them apart. */
export const TIMERS_MS = { grace: 700, retry: 1_000, renewal: 2_000 } as const;
const LOCK_MS = 6_000;

/** The answer to a call `open` or `next`. */
export type StreamAnswer = { token: string } | { change: Change } | { ended: EndReason };

export interface Job {
  id: string;
  event: AppointmentEvent;
  appointmentId: Id;
}

/** The name that a process has in the lock. */
export const ownerName = (number: number): string => `capture-${number}`;

const nothing = (): void => undefined;

/** The content of an appointment is the first word of its notes, its version the second. */
const digestOf = ({ notes }: AppointmentSnapshot): string => `content-${notes?.split(' ')[0]}`;

/** Reads the change stream and emits what was not announced, composed as in production. */
export function captureProgram(number: number): Program {
  return (ask) => {
    const redis = redisOf(ask, number);
    startCapture({
      acquireLease: createAcquireLease({
        redis,
        lock: LOCK_KEY,
        ownerId: ownerName(number),
        lockMs: LOCK_MS,
      }),
      tokenKey: TOKEN_KEY,
      openChanges: openChangesOf(ask),
      emitCaptured: createEmitCaptured({
        load: async (ids) => new Map((await ask('load', ids)) as [Id, AppointmentSnapshot][]),
        findRows: () => Promise.resolve([]),
        companiesOf: () => Promise.resolve(new Map()),
        lastPublished: createReadLastPublished({ redis, keys: companyKeys, reportDamage: nothing }),
        refuseEarlierReads: createRefuseEarlierReads(redis, companyKeys),
        digestOf,
        isCanceled: () => false,
        findReferring: () => Promise.resolve([]),
        enqueue: async (emissions) => {
          const jobs = emissions.map(({ emissionId, event, appointmentId }): Job => {
            return { id: emissionId, event, appointmentId };
          });
          await ask('enqueue', ...jobs);
        },
        concernsAllReads: () => true,
        now: () => 0,
      }),
      graceMs: TIMERS_MS.grace,
      renewEveryMs: TIMERS_MS.renewal,
      backlog: () => Promise.resolve(0),
      on: {
        waits: nothing,
        follows: nothing,
        captured: nothing,
        advanced: nothing,
        restarted: () => void ask('restarted'),
        damaged: nothing,
        failed: nothing,
      },
    });
    return new Promise(nothing);
  };
}

/** A change stream whose tokens are numbers of changes. */
function openChangesOf(ask: Parameters<Program>[0]): OpenChanges {
  let streams = 0;
  return (resumeToken) => {
    const stream = (streams += 1);
    let token: string | undefined;
    const read = async (kind: 'open' | 'next', from: string | null): Promise<StreamAnswer> => {
      const answer = (await ask(kind, stream, from)) as StreamAnswer;
      if ('ended' in answer) throw new StreamEnded(answer.ended);
      token = 'change' in answer ? answer.change.resumeToken : answer.token;
      return answer;
    };
    const opening = read('open', resumeToken ?? null);
    return {
      async next() {
        await opening;
        const answer = await read('next', token ?? null);
        return (answer as { change: Change }).change;
      },
      // Of a stream that cannot open, only `next` fails.
      opened: opening.then(nothing, () => new Promise<void>(nothing)),
      resumeToken: () => token,
      close() {
        void ask('closed', stream);
        return Promise.resolve();
      },
    };
  };
}

/** A worker that runs one job. */
export function workerProgram({ event, appointmentId }: Job, number: number): Program {
  const emit = emitProgram([{ event, appointmentId, companyId: COMPANY }], digestOf);
  return (ask) =>
    emit({
      redis: redisOf(ask, number),
      load: (ids) => ask('load', ids),
      find: () => Promise.reject(new Error('a worker finds no ids')),
    });
}
