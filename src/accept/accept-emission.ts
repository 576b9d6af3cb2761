import { createHash, randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  APPOINTMENT_DELETED,
  type AppointmentEvent,
  type Id,
  type QueueName,
} from '@appointment-emissions/contracts';
import { chunks, coalesce } from '../batching.ts';
import { AppError } from '../errors.ts';
import type { BulkPacer } from '../process/bulk-pacer.ts';
import { DeadlineExceeded, within } from '../process/lifecycle.ts';
import { createFindCompany, type FindCompany } from './find-company.ts';
import type { Attempt } from './idempotency.ts';

/** A request for one emission, already validated. Ids in lower case. */
export interface EmissionRequest {
  event: AppointmentEvent;
  appointmentId: Id;
  /** For `appointment:deleted` only: the company that the caller names, since the appointment may be gone. */
  companyId?: Id;
}

/** Which request it is: for idempotency, and for logs. */
export interface RequestContext extends Attempt {
  /** W3C Trace Context, kept with the job. */
  traceparent?: string | undefined;
  requestId?: string | undefined;
}

/** An accepted request. */
export interface AcceptedRequest extends Pick<EmissionRequest, 'event' | 'appointmentId'> {
  emissionId: string;
}

/** An emission as it is enqueued. */
export interface Accepted extends AcceptedRequest {
  companyId: Id;
  /** ISO 8601. */
  acceptedAt: string;
  traceparent?: string | undefined;
}

/** How long it took to accept a request, and the queue that its emissions went to. */
export interface AcceptTiming {
  ms: number;
  queue: QueueName;
}

export interface AcceptDeps {
  /** The existence check, for many ids at once; `''` for a company that cannot be read. */
  findCompanies: (appointmentIds: readonly Id[]) => Promise<(Id | undefined)[]>;
  /** Resolves to the queue of each emission. */
  enqueue: (emissions: readonly Accepted[], priority: number) => Promise<readonly QueueName[]>;
  priority: { live: number; batch: number };
  /** Whether the queue has reached its limit. */
  isFull: () => boolean;
  pacer: BulkPacer;
  /** Whether the next live emission of a company exceeds its share, so that it goes to the bulk queue. */
  isOverShare: (companyId: Id) => boolean;
  /** Whether a company has used up half of its burst: bulk work does not rest beside its emissions. */
  isNearLimit: (companyId: Id) => boolean;
  onAccepted: (accepted: readonly AcceptedRequest[], context: RequestContext, timing: AcceptTiming) => void;
  /** Milliseconds since 1970, by a clock that the workers share. */
  now?: () => number;
}

export interface AcceptEmissions {
  /**
   * Accepts one emission and resolves to its id.
   * @throws AppError APPOINTMENT_NOT_FOUND, COMPANY_MISMATCH, DATABASE_ERROR (within 1 s, nothing enqueued),
   * QUEUE_UNAVAILABLE, QUEUE_FULL.
   */
  one: (request: EmissionRequest, context: RequestContext) => Promise<string>;
  /**
   * Accepts the emissions whose appointments exist, and deletions; `undefined` for those that are rejected with
   * {@link rejectionOf}.
   * @throws as `one`, except these two codes.
   */
  many: (requests: readonly EmissionRequest[], context: RequestContext) => Promise<(string | undefined)[]>;
}

/** No slice of a batch, and no group of emissions that exceed a share, begins later. */
const ENQUEUE_TIMEOUT_MS = 1_000;
/**
 * How long an emission that exceeds a share waits for its group and for Redis, as long as any other waits for Redis: with the existence
 * check, the answer takes less than 2 s.
 */
const GROUP_TIMEOUT_MS = 1_100;
/** 50 jobs take this process about 1 ms. */
const SLICE_SIZE = 50;
/**
 * How long a request waits for live emissions: all slices of a batch together, or an emission that exceeds its company's share. The bot
 * waits 1.2 s for the answer.
 */
const MAX_WAIT_MS = 400;
/**
 * Emissions that exceed their company's share and are enqueued and answered together: 10, or a tenth of those that wait. More would delay
 * live emissions longer; with less, thousands of requests would wait too long.
 */
const overShareGroup = (waiting: number): number => Math.max(10, Math.ceil(waiting / 10));
const RETRY_WHEN_FULL_SECONDS = 5;

/** Checks that appointments exist, and enqueues their emissions. A repeated request is answered without either. */
export function createAcceptEmissions(deps: AcceptDeps): AcceptEmissions {
  const { isFull, onAccepted, now = Date.now } = deps;
  const findCompany = createFindCompany(deps.findCompanies);
  const acceptMany = createAcceptMany(deps, findCompany);
  const enqueueLive = createEnqueueLive(deps);

  async function acceptOne(
    request: EmissionRequest,
    context: RequestContext,
  ): Promise<{ accepted: AcceptedRequest; queue: QueueName }> {
    if (context.isRepeat) return { accepted: withId(request, context, 0), queue: 'live' };
    refuseIfFull(isFull);
    const acceptedAt = new Date(now()).toISOString();
    const companyId = companyFor(request, await findCompany.one(request.appointmentId));
    if (companyId === undefined) throw rejectionError(request);
    const emission = toEmission(withId(request, context, 0), companyId, acceptedAt, context);
    return { accepted: emission, queue: await enqueueLive(emission) };
  }

  return {
    async one(request, context) {
      const startedAt = performance.now();
      const { accepted, queue } = await acceptOne(request, context);
      // After the answer is on its way.
      setImmediate(onAccepted, [accepted], context, { ms: elapsedMs(startedAt), queue });
      return accepted.emissionId;
    },

    async many(requests, context) {
      const startedAt = performance.now();
      const results = await acceptMany(requests, context);
      const timing: AcceptTiming = { ms: elapsedMs(startedAt), queue: 'bulk' };
      const accepted = results.filter((item) => item !== undefined);
      for (const slice of chunks(accepted, SLICE_SIZE)) {
        onAccepted(slice, context, timing);
        await nextTurn();
      }
      return results.map((item) => item?.emissionId);
    },
  };
}

/** Accepts the items of a batch that no earlier attempt has enqueued. `undefined` for those that are rejected. */
function createAcceptMany(deps: AcceptDeps, findCompany: FindCompany) {
  const { isFull, now = Date.now } = deps;
  const enqueueBatch = createEnqueueBatch(deps);

  return async (
    requests: readonly EmissionRequest[],
    context: RequestContext,
  ): Promise<(AcceptedRequest | undefined)[]> => {
    const { isRepeat, progress } = context;
    const items = requests.map((request, index) => {
      const isEnqueued = progress?.has(index) ?? false;
      return { index, request, accepted: withId(request, context, index), isEnqueued };
    });
    const accepted = items.map((item) => (item.isEnqueued ? item.accepted : undefined));
    if (isRepeat) return accepted;
    refuseIfFull(isFull);
    const acceptedAt = new Date(now()).toISOString();
    // An earlier attempt may have enqueued some, and failed later.
    const missing = items.filter(({ isEnqueued }) => !isEnqueued);
    const found = await findCompany.many(missing.map(({ request }) => request.appointmentId));
    const toEnqueue: IndexedEmission[] = [];
    for (const [at, item] of missing.entries()) {
      const companyId = companyFor(item.request, found[at]);
      if (companyId === undefined) continue;
      accepted[item.index] = item.accepted;
      const emission = toEmission(item.accepted, companyId, acceptedAt, context);
      toEnqueue.push({ index: item.index, emission });
    }
    await enqueueBatch(toEnqueue, progress);
    return accepted;
  };
}

/**
 * The company that an emission is for; `undefined` if it is rejected. A deletion of an appointment that is gone is for the
 * company that the caller names. If the appointment exists, the named company must be its own. The worker's read decides
 * whether the appointment is deleted.
 * @param found  the appointment's own company, if the appointment exists; `''` if that company cannot be read
 */
function companyFor({ event, companyId }: EmissionRequest, found: Id | undefined): Id | undefined {
  if (event !== APPOINTMENT_DELETED) return found || undefined;
  return found === undefined || found === companyId ? companyId : undefined;
}

/** Why a request has no company to emit for. */
export function rejectionOf({
  event,
}: Pick<EmissionRequest, 'event'>): 'COMPANY_MISMATCH' | 'APPOINTMENT_NOT_FOUND' {
  return event === APPOINTMENT_DELETED ? 'COMPANY_MISMATCH' : 'APPOINTMENT_NOT_FOUND';
}

function rejectionError(request: EmissionRequest): AppError {
  const code = rejectionOf(request);
  const { appointmentId } = request;
  return code === 'COMPANY_MISMATCH'
    ? new AppError(code, `appointment ${appointmentId} exists and belongs to another company`)
    : new AppError(code, `no appointment has the id ${appointmentId}`);
}

function refuseIfFull(isFull: () => boolean): void {
  if (!isFull()) return;
  throw new AppError('QUEUE_FULL', 'the queue is full: workers are missing or too slow', {
    retryAfterSeconds: RETRY_WHEN_FULL_SECONDS,
  });
}

/** An emission, and the place of its item in the batch. */
interface IndexedEmission {
  index: number;
  emission: Accepted;
}

/**
 * Enqueues a live emission. Those that exceed their company's share form small groups: a flood sends its next requests when it gets the
 * answers of a group, and a large group of requests would arrive in one turn of the event loop.
 */
function createEnqueueLive({ enqueue, priority, pacer, isOverShare, isNearLimit }: AcceptDeps) {
  const enqueueOverShare = coalesce<{ emission: Accepted; since: number }, QueueName>({
    run: (group) => {
      const since = group[0]?.since ?? 0;
      const maxWaitMs = Math.max(0, since + MAX_WAIT_MS - performance.now());
      const emissions = group.map(({ emission }) => emission);
      return pacer.bulk(async () => {
        // Behind a group that Redis did not answer, each group would wait as long as that one.
        refuseIfLate(since, 'nothing was enqueued');
        return enqueue(emissions, priority.live);
      }, maxWaitMs);
    },
    maxBatch: overShareGroup,
  });

  return async (emission: Accepted): Promise<QueueName> => {
    const { companyId } = emission;
    if (isOverShare(companyId)) return inTime(enqueueOverShare({ emission, since: performance.now() }));
    const add = () => enqueue([emission], priority.live);
    const [queue = 'live'] = await (isNearLimit(companyId) ? add() : pacer.live(add));
    return queue;
  };
}

/** The group may be enqueued later. @throws AppError QUEUE_UNAVAILABLE */
async function inTime(enqueued: Promise<QueueName>): Promise<QueueName> {
  try {
    return await within(GROUP_TIMEOUT_MS, 'adding a group to the queue', enqueued);
  } catch (cause) {
    if (!(cause instanceof DeadlineExceeded)) throw cause;
    throw new AppError('QUEUE_UNAVAILABLE', 'the queue does not answer; try again in a moment', {
      cause,
      retryAfterSeconds: 1,
    });
  }
}

/** @param startedAt  when the request began to enqueue, by `performance.now()` */
function refuseIfLate(startedAt: number, outcome: string): void {
  if (performance.now() <= startedAt + ENQUEUE_TIMEOUT_MS) return;
  throw new AppError('QUEUE_UNAVAILABLE', `the queue is too slow; ${outcome}`, { retryAfterSeconds: 1 });
}

/** Enqueues a batch in slices, so that live emissions come in between. */
function createEnqueueBatch({ enqueue, priority, pacer }: AcceptDeps) {
  return async (items: readonly IndexedEmission[], progress: RequestContext['progress']): Promise<void> => {
    const startedAt = performance.now();
    for (const slice of chunks(items, SLICE_SIZE)) {
      const maxWaitMs = Math.max(0, startedAt + MAX_WAIT_MS - performance.now());
      await pacer.bulk(async () => {
        refuseIfLate(startedAt, 'only a part of the batch was enqueued');
        const emissions = slice.map(({ emission }) => emission);
        await enqueue(emissions, priority.batch);
      }, maxWaitMs);
      progress?.add(slice.map(({ index }) => index));
    }
  };
}

function withId(request: EmissionRequest, { seed }: RequestContext, index: number): AcceptedRequest {
  const { event, appointmentId } = request;
  return { event, appointmentId, emissionId: createEmissionId(seed, index) };
}

function toEmission(
  item: AcceptedRequest,
  companyId: Id,
  acceptedAt: string,
  { traceparent }: RequestContext,
): Accepted {
  const emission = { ...item, companyId, acceptedAt };
  return traceparent === undefined ? emission : { ...emission, traceparent };
}

/** Random, or derived from the seed, in the form of a UUID (a job id must not look like a number). */
function createEmissionId(seed: string | undefined, index: number): string {
  if (seed === undefined) return randomUUID();
  const hex = createHash('sha256').update(`${seed}\n${index}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

function elapsedMs(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
