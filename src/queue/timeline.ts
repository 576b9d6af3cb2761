import type { EmissionSource, Id } from '@appointment-emissions/contracts';
import { sourceOf } from '../domain/emission-log.ts';
import type { FindJob } from './find-job.ts';

/** The life of one emission, read from its job. Times are ISO 8601, null for stages that it has not reached. */
export interface Timeline {
  emissionId: string;
  event: string;
  appointmentId: string;
  /** What reported the write. */
  source: EmissionSource;
  /** BullMQ's word: waiting, prioritized, delayed (in backoff), active, completed, failed. */
  state: string;
  acceptedAt: string;
  /** Attempts that have ended. */
  attempts: { attempt: number; error: string | null }[];
  startedAt: string | null;
  populatedAt: string | null;
  publishedAt: string | null;
  endedAt: string | null;
  epoch: string | null;
  offset: number | null;
  /** Number of gateways that Redis delivered it to; null if it is unknown. */
  gateways: number | null;
  /** Of the request. */
  traceparent: string | null;
}

export interface ReadTimelines {
  /** Of one emission; `undefined` if its job is not kept. @throws if Redis is unavailable */
  one: (emissionId: string) => Promise<Timeline | undefined>;
  /** Of an appointment's last ten emissions, as far as they are kept, newest first. @throws as `one` */
  ofAppointment: (appointmentId: Id) => Promise<Timeline[]>;
}

export interface ReadTimelinesDeps {
  findJob: FindJob;
  /** Newest first. */
  recent: (appointmentId: Id) => Promise<string[]>;
}

export function createReadTimelines({ findJob, recent }: ReadTimelinesDeps): ReadTimelines {
  async function one(emissionId: string): Promise<Timeline | undefined> {
    const job = await findJob(emissionId);
    const data = fieldsOf(job?.data);
    const appointmentId = textOf(data['appointmentId']);
    if (job === undefined || appointmentId === null) return undefined;
    const state = await job.getState();
    const receipt = fieldsOf(job.returnvalue);
    return {
      emissionId,
      event: job.name,
      appointmentId,
      source: sourceOf(emissionId),
      state,
      acceptedAt: textOf(data['acceptedAt']) ?? '',
      attempts: attemptsOf(job, state),
      startedAt: instant(job.processedOn),
      populatedAt: textOf(receipt['populatedAt']),
      publishedAt: textOf(receipt['publishedAt']),
      endedAt: instant(job.finishedOn),
      epoch: textOf(receipt['epoch']),
      offset: numberOf(receipt['offset']),
      gateways: numberOf(receipt['gateways']),
      traceparent: textOf(data['traceparent']),
    };
  }

  return {
    one,
    async ofAppointment(appointmentId) {
      const found = await Promise.all((await recent(appointmentId)).map(one));
      return found.filter((timeline) => timeline !== undefined);
    },
  };
}

const MAX_ATTEMPTS_SHOWN = 1_000;

/** Attempts that have ended, with the first line of each one's error. */
function attemptsOf(
  { attemptsMade, stacktrace }: { attemptsMade: number; stacktrace: unknown },
  state: string,
): Timeline['attempts'] {
  const errors = (Array.isArray(stacktrace) ? stacktrace : []).map(
    (stack) => textOf(stack)?.split('\n')[0] ?? '',
  );
  const length = Math.min(Math.max(Math.trunc(attemptsMade) || 0, 0), MAX_ATTEMPTS_SHOWN);
  return Array.from({ length }, (_, index) => {
    const fromLast = length - (state === 'completed' ? 1 : 0) - index;
    const error = fromLast > 0 ? (errors.at(-fromLast) ?? 'no longer kept') : null;
    return { attempt: index + 1, error };
  });
}

// Another program may have written the job: a field of a wrong type counts as missing.
function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The latest time that a Date can hold. */
const MAX_TIME_MS = 8.64e15;

function instant(ms: unknown): string | null {
  return typeof ms === 'number' && Math.abs(ms) <= MAX_TIME_MS ? new Date(ms).toISOString() : null;
}
