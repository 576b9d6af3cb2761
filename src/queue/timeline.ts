import type { Job } from 'bullmq';
import type { Id } from '@appointment-emissions/contracts';
import { findJob } from './find-job.ts';
import type { EmissionQueues } from './open-queues.ts';

/** What became of one emission, told by its job: times are ISO 8601, null where it has not come so far. */
export interface Timeline {
  emissionId: string;
  event: string;
  appointmentId: string;
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
  /** Gateways that Redis handed it to; stays null on a Cluster. */
  gateways: number | null;
  /** Of the request that asked for it. */
  traceparent: string | null;
}

export interface ReadTimelines {
  /** One emission's; `undefined` when its job is no longer kept. @throws when Redis is away. */
  one: (emissionId: string) => Promise<Timeline | undefined>;
  /** Those of an appointment's last ten emissions that are still kept, newest first. @throws as `one`. */
  ofAppointment: (appointmentId: Id) => Promise<Timeline[]>;
}

export interface ReadTimelinesDeps {
  queues: EmissionQueues;
  /** Newest first. */
  recent: (appointmentId: Id) => Promise<string[]>;
}

export function createReadTimelines({ queues, recent }: ReadTimelinesDeps): ReadTimelines {
  async function one(emissionId: string): Promise<Timeline | undefined> {
    const job = (await findJob(queues, emissionId)) as Job<Record<string, string>> | undefined;
    if (job?.data.appointmentId === undefined) return undefined;
    const state = await job.getState();
    const receipt = (job.returnvalue ?? {}) as Record<string, string | number | undefined>;
    const errors = (job.stacktrace ?? []).map((stack) => stack.split('\n')[0] ?? '');
    const attempts = Array.from({ length: job.attemptsMade }, (_, index) => {
      const fromLast = job.attemptsMade - (state === 'completed' ? 1 : 0) - index;
      const error = fromLast > 0 ? (errors.at(-fromLast) ?? 'no longer kept') : null;
      return { attempt: index + 1, error };
    });
    return {
      emissionId,
      event: job.name,
      appointmentId: job.data.appointmentId,
      state,
      acceptedAt: job.data.acceptedAt ?? '',
      attempts,
      startedAt: instant(job.processedOn),
      populatedAt: (receipt.populatedAt as string | undefined) ?? null,
      publishedAt: (receipt.publishedAt as string | undefined) ?? null,
      endedAt: instant(job.finishedOn),
      epoch: (receipt.epoch as string | undefined) ?? null,
      offset: (receipt.offset as number | undefined) ?? null,
      gateways: (receipt.gateways as number | undefined) ?? null,
      traceparent: job.data.traceparent ?? null,
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

function instant(ms: number | undefined | null): string | null {
  return typeof ms === 'number' ? new Date(ms).toISOString() : null;
}
