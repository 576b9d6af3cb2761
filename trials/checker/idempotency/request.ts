import { APPOINTMENT_UPDATED, type Id } from '@appointment-emissions/contracts';
import { createAcceptEmissions } from '../../../src/accept/accept-emission.ts';
import { SLICE_SIZE } from '../../../src/accept/enqueue-at-pace.ts';
import { createIdempotency } from '../../../src/accept/idempotency.ts';
import { AppError, queueUnavailable } from '../../../src/errors.ts';
import { type Program, redisOf } from '../run-code.ts';

/** What a caller requests: one emission, another one, or one of two batches of two slices. */
export type Body = 'X' | 'Y' | 'batch' | 'other';

/** The answer to a request. `ids`: of the emission, or of the first one of each slice. */
export interface Reply {
  status: number;
  code?: string;
  ids: string[];
}

/** A job that a request adds: an emission, or the first one of a slice, since slices are added as a whole. */
export interface Added {
  id: string;
  /** What the job is for. */
  item: string;
}

const COMPANY: Id = 'c1'.padStart(24, 'c');
const TTL_SECONDS = 3_600;

const BATCH_SIZE = SLICE_SIZE + 1;
const isBatch = (body: Body): boolean => body === 'batch' || body === 'other';

const appointmentOf = (body: Body, index: number): Id => {
  const digit = { X: 'a', Y: 'b', batch: 'd', other: 'e' }[body];
  return `${digit}${index}`.padStart(24, digit);
};

/** Names of a body's items that `Added` contains. */
export function itemsOf(body: Body): string[] {
  const firsts = isBatch(body) ? [0, SLICE_SIZE] : [0];
  return firsts.map((index) => appointmentOf(body, index));
}

/** A request with the one Idempotency-Key of the model, in an API process of its own. */
export function requestProgram(body: Body, number: number): Program {
  return async (ask) => {
    const runIdempotently = createIdempotency({
      redis: redisOf(ask, number),
      prefix: '{check}',
      ttlSeconds: TTL_SECONDS,
      reportDamage: () => undefined,
    });
    const accept = createAcceptEmissions({
      findCompanies: async (ids) =>
        (await ask('find')) === 'found' ? ids.map(() => COMPANY) : ids.map(() => undefined),
      async enqueue(emissions) {
        const [first] = emissions;
        const added = { id: first?.emissionId ?? '', item: first?.appointmentId ?? '' } satisfies Added;
        await ask('enqueue', added).catch((error: unknown) => {
          throw queueUnavailable('does not answer', error);
        });
        return emissions.map(() => 'live' as const);
      },
      priority: { live: 1, batch: 2 },
      pacer: { live: (work) => work(), bulk: (work) => work() },
      isOverShare: () => false,
      isNearLimit: () => true,
      isFull: () => false,
      onAccepted: () => undefined,
      now: () => 0,
    });
    const requests = Array.from({ length: isBatch(body) ? BATCH_SIZE : 1 }, (_, index) => {
      return { event: APPOINTMENT_UPDATED, appointmentId: appointmentOf(body, index) };
    });
    try {
      const ids = await runIdempotently(
        { keyFingerprint: 'caller', idempotencyKey: 'key', body: requests },
        async (attempt) =>
          isBatch(body) ? accept.many(requests, attempt) : [await accept.one(requests[0]!, attempt)],
      );
      const firsts = isBatch(body) ? [ids[0], ids[SLICE_SIZE]] : ids;
      return { status: 202, ids: firsts.map((id) => id ?? '') } satisfies Reply;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { status: error.status, code: error.code, ids: [] } satisfies Reply;
    }
  };
}
