import { createHash, randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  APPOINTMENT_DELETED,
  type AppointmentEvent,
  type Id,
  type QueueName,
} from '@appointment-emissions/contracts';
import { chunks } from '../batching.ts';
import { AppError } from '../errors.ts';
import {
  createEnqueueBatch,
  createEnqueueLive,
  type PacedEnqueueDeps,
  type IndexedEmission,
  SLICE_SIZE,
} from './enqueue-at-pace.ts';
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

export interface AcceptDeps extends PacedEnqueueDeps {
  /** The existence check, for many ids at once; `''` for a company that cannot be read. */
  findCompanies: (appointmentIds: readonly Id[]) => Promise<(Id | undefined)[]>;
  /** Whether the queue has reached its limit. */
  isFull: () => boolean;
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
