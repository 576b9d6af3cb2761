import type { Id, QueueName } from '@appointment-emissions/contracts';
import { chunks, coalesce } from '../batching.ts';
import { queueUnavailable } from '../errors.ts';
import type { BulkPacer } from '../process/bulk-pacer.ts';
import { DeadlineExceeded, within } from '../process/lifecycle.ts';
import type { Accepted, RequestContext } from './accept-emission.ts';

export interface PacedEnqueueDeps {
  /** Resolves to the queue of each emission. */
  enqueue: (emissions: readonly Accepted[], priority: number) => Promise<readonly QueueName[]>;
  priority: { live: number; batch: number };
  pacer: Pick<BulkPacer, 'live' | 'bulk'>;
  /** Whether the next live emission of a company exceeds its share, so that it goes to the bulk queue. */
  isOverShare: (companyId: Id) => boolean;
  /** Whether a company has used up half of its burst: bulk work does not rest beside its emissions. */
  isNearLimit: (companyId: Id) => boolean;
}

/** No slice of a batch, and no group of emissions that exceed a share, begins later. */
const ENQUEUE_TIMEOUT_MS = 1_000;
/**
 * How long an emission above its share waits for its group and for Redis. Other emissions wait for Redis as long. With the existence
 * check, the answer takes less than 2 s.
 */
const GROUP_TIMEOUT_MS = 1_100;
/** 50 jobs take this process about 1 ms. */
export const SLICE_SIZE = 50;
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

/** An emission, and the place of its item in the batch. */
export interface IndexedEmission {
  index: number;
  emission: Accepted;
}

/**
 * Enqueues a live emission. Those that exceed their company's share form small groups: a flood sends its next requests when it gets the
 * answers of a group, and a large group of requests would arrive in one turn of the event loop.
 */
export function createEnqueueLive({ enqueue, priority, pacer, isOverShare, isNearLimit }: PacedEnqueueDeps) {
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
    throw queueUnavailable('does not answer; try again in a moment', cause);
  }
}

/** @param startedAt  when the request began to enqueue, by `performance.now()` */
function refuseIfLate(startedAt: number, outcome: string): void {
  if (performance.now() <= startedAt + ENQUEUE_TIMEOUT_MS) return;
  throw queueUnavailable(`is too slow; ${outcome}`);
}

/** Enqueues a batch in slices, so that live emissions come in between. */
export function createEnqueueBatch({ enqueue, priority, pacer }: PacedEnqueueDeps) {
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
