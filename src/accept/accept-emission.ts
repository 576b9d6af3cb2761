import { createHash, randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AppointmentEvent, Id } from '@appointment-emissions/contracts';
import { coalesce, chunks } from '../batching.ts';
import { AppError } from '../errors.ts';
import { within } from '../process/lifecycle.ts';
import type { YieldToLive } from './yield-to-live.ts';

/** What is asked for, checked in shape already. Ids in lower case. */
export interface EmissionRequest {
  event: AppointmentEvent;
  appointmentId: Id;
}

/** What is known of a request beside what it asks for. */
export interface RequestContext {
  /** Makes a repeated request give the same emission ids; `undefined` without Idempotency-Key. */
  seed: string | undefined;
  /** The same request was accepted before: its emissions are not counted again. */
  isRepeat: boolean;
  /** W3C Trace Context, kept with the job. */
  traceparent?: string | undefined;
  requestId?: string | undefined;
}

/** An emission that stands in the queue. */
export interface Accepted extends EmissionRequest {
  companyId: Id;
  emissionId: string;
  /** ISO 8601. */
  acceptedAt: string;
  traceparent?: string | undefined;
}

/** How long it took to accept, and whether somebody waited for that. */
export interface AcceptTiming {
  ms: number;
  isLive: boolean;
}

export interface AcceptDeps {
  /** The existence check, for many ids at once. */
  findCompanies: (appointmentIds: readonly Id[]) => Promise<(Id | undefined)[]>;
  enqueue: (emissions: readonly Accepted[], priority: number) => Promise<void>;
  priority: { live: number; batch: number };
  /** The queue holds as much as it may. */
  isFull: () => boolean;
  liveFirst: YieldToLive;
  onAccepted: (emissions: readonly Accepted[], by: RequestContext, took: AcceptTiming) => void;
  /** Milliseconds since 1970, by a clock that the workers share. */
  now?: () => number;
}

export interface AcceptEmissions {
  /**
   * Accepts one emission and resolves to its id.
   * @throws AppError APPOINTMENT_NOT_FOUND, DATABASE_ERROR (within 1 s, nothing enqueued), QUEUE_UNAVAILABLE,
   * QUEUE_FULL.
   */
  one: (asked: EmissionRequest, by: RequestContext) => Promise<string>;
  /** Accepts those that exist; `undefined` for the others. @throws as `one`, but for APPOINTMENT_NOT_FOUND. */
  many: (asked: readonly EmissionRequest[], by: RequestContext) => Promise<(string | undefined)[]>;
}

const EXISTENCE_CHECK_LIMIT_MS = 820;
/** No slice of a batch begins later. */
const ENQUEUE_LIMIT_MS = 1_000;
const IDS_PER_CHECK = 1_000;
const BATCHES_PER_CHECK = 5;
/** Of a batch: live bookings come in between. A hundred take this process 2 ms. */
const ACCEPTED_AT_ONCE = { besideLive: 50, alone: 100 };
/** A batch rests between its slices for so long in all; what is left then follows without. The bot waits 1.2 s for the answer. */
const RESTS_FOR_MS = 400;
const CHECKED_AT_ONCE = 100;
const RETRY_WHEN_FULL_SECONDS = 5;

export function createAcceptEmissions({
  findCompanies,
  enqueue,
  priority,
  isFull,
  liveFirst,
  onAccepted,
  now = Date.now,
}: AcceptDeps): AcceptEmissions {
  const inTime = <T>(check: Promise<T>): Promise<T> =>
    within(EXISTENCE_CHECK_LIMIT_MS, 'the existence check', check);

  // Each check has the limit, so that its place is free again; each request too, since it may have waited for a place.
  const findCompany = coalesce<Id, Id | undefined>({
    run: (ids) => inTime(findCompanies(ids)),
    maxBatch: IDS_PER_CHECK,
    maxInFlight: 4,
    firstAtOnce: true,
  });

  // One under way: each question of its own would wake MongoDB, which costs as much as the ids of the next batches.
  const findCompaniesOfBatch = coalesce<readonly Id[], (Id | undefined)[]>({
    async run(batches) {
      const companies = await inTime(findCompanies(batches.flat()));
      let next = 0;
      return batches.map(({ length }) => companies.slice(next, (next += length)));
    },
    maxBatch: BATCHES_PER_CHECK,
  });

  async function findAll(appointmentIds: readonly Id[]): Promise<(Id | undefined)[]> {
    const slices = [...chunks(appointmentIds, CHECKED_AT_ONCE)];
    return (await Promise.all(slices.map(findCompaniesOfBatch))).flat();
  }

  async function enqueueAll(emissions: readonly Accepted[]): Promise<void> {
    const begunAt = performance.now();
    for (let from = 0; from < emissions.length;) {
      if (from > 0 && performance.now() < begunAt + RESTS_FOR_MS) await liveFirst.rest();
      if (performance.now() > begunAt + ENQUEUE_LIMIT_MS) {
        throw new AppError('QUEUE_UNAVAILABLE', 'the queue is too slow; a part of the batch stands in it', {
          retryAfterSeconds: 1,
        });
      }
      await liveFirst.pass();
      const size = liveFirst.isExpected() ? ACCEPTED_AT_ONCE.besideLive : ACCEPTED_AT_ONCE.alone;
      await enqueue(emissions.slice(from, from + size), priority.batch);
      from += size;
    }
  }

  async function checked<T>(check: Promise<T>): Promise<T> {
    try {
      return await inTime(check);
    } catch (cause) {
      throw new AppError('DATABASE_ERROR', 'the database does not answer; nothing was enqueued', { cause });
    }
  }

  function refuseIfFull(): void {
    if (!isFull()) return;
    throw new AppError('QUEUE_FULL', 'as many emissions wait as may: workers are missing or too slow', {
      retryAfterSeconds: RETRY_WHEN_FULL_SECONDS,
    });
  }

  return {
    async one(asked, by) {
      refuseIfFull();
      const startedAt = performance.now();
      const acceptedAt = new Date(now()).toISOString();
      const emission = await liveFirst.live(async () => {
        const companyId = await checked(findCompany(asked.appointmentId));
        if (companyId === undefined) {
          throw new AppError('APPOINTMENT_NOT_FOUND', `no appointment has the id ${asked.appointmentId}`);
        }
        const made = toEmission(asked, companyId, by, 0, acceptedAt);
        // A repeat of what was accepted: its job stands in the queue, or has ended and may no longer be kept.
        if (!by.isRepeat) await enqueue([made], priority.live);
        return made;
      });
      // Whoever waits for the answer has it first.
      setImmediate(onAccepted, [emission], by, {
        ms: Math.round(performance.now() - startedAt),
        isLive: true,
      });
      return emission.emissionId;
    },

    async many(asked, by) {
      refuseIfFull();
      const startedAt = performance.now();
      const acceptedAt = new Date(now()).toISOString();
      const companies = await checked(findAll(asked.map(({ appointmentId }) => appointmentId)));
      const made = asked.map((item, index) => {
        const companyId = companies[index];
        return companyId === undefined ? undefined : toEmission(item, companyId, by, index, acceptedAt);
      });
      const emissions = made.filter((emission) => emission !== undefined);
      await enqueueAll(emissions);
      const took = { ms: Math.round(performance.now() - startedAt), isLive: false };
      for (const slice of chunks(emissions, ACCEPTED_AT_ONCE.besideLive)) {
        onAccepted(slice, by, took);
        await nextTurn();
      }
      return made.map((emission) => emission?.emissionId);
    },
  };
}

function toEmission(
  asked: EmissionRequest,
  companyId: Id,
  by: RequestContext,
  index: number,
  acceptedAt: string,
): Accepted {
  const { event, appointmentId } = asked;
  const emissionId = createEmissionId(by.seed, index);
  const emission = { event, appointmentId, companyId, emissionId, acceptedAt };
  return by.traceparent === undefined ? emission : { ...emission, traceparent: by.traceparent };
}

/** Random, or derived from the seed, in the form of a UUID (a job id must not look like a number). */
function createEmissionId(seed: string | undefined, index: number): string {
  if (seed === undefined) return randomUUID();
  const hex = createHash('sha256').update(`${seed}\n${index}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
