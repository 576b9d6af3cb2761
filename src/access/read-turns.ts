import type { Id } from '@appointment-emissions/contracts';
import { AppError } from '../errors.ts';
import { isMongoError, isUnavailable } from '../process/unavailable.ts';
import { createRests, createRounds } from './rounds.ts';

export type ReadKind = 'list' | 'replay';

const MAX_READS = 32;
const MAX_REST_MS = 200;
/** Waiting reads of one kind and company. More wait only if clients request faster than reads end. */
const MAX_WAITING = 500;

export interface WaitingRead {
  run: () => Promise<void>;
  fail: (error: unknown) => void;
}

interface ReadTurnsDeps {
  /** Called for each read that waits for another one of its company, or for the rest after it. */
  onDelayed: (companyId: Id) => void;
  /** How long the reads of a company rest after one that took `tookMs`. */
  restMsOf: (companyId: Id, tookMs: number) => number;
  now: () => number;
}

/** Runs reads, one at a time of each kind and company. */
export function createReadTurns({ onDelayed, restMsOf, now }: ReadTurnsDeps) {
  /** By kind and company, as `reading` is. */
  const waiting = createRounds<WaitingRead>();
  const reading = new Set<string>();
  const rests = createRests(now, MAX_REST_MS);

  async function runOne(key: string, read: WaitingRead): Promise<void> {
    try {
      await read.run();
    } catch (error) {
      const isOutage = isUnavailable(error) || isMongoError(error, 'MongoError');
      for (const failed of isOutage ? [read, ...waiting.removeAll(key)] : [read]) failed.fail(error);
    }
  }

  function startNext(): void {
    while (reading.size < MAX_READS) {
      const next = waiting.next((key) => !reading.has(key) && !rests.has(key));
      if (!next) return;
      const [key, read] = next;
      reading.add(key);
      const startedAt = now();
      void runOne(key, read).then(() => {
        reading.delete(key);
        const restMs = rests.add(key, restMsOf(companyOf(key), now() - startedAt));
        if (restMs > 0)
          setTimeout(() => {
            rests.end(key);
            startNext();
          }, restMs);
        startNext();
      });
    }
  }

  return (kind: ReadKind, companyId: Id, read: WaitingRead): void => {
    const key = keyOf(kind, companyId);
    if (reading.has(key) || rests.has(key)) onDelayed(companyId);
    if (waiting.count(key) >= MAX_WAITING)
      throw new AppError('RATE_LIMITED', 'too many lists and catch-ups of this company are waiting', {
        retryAfterSeconds: 1,
      });
    waiting.add(key, read);
    startNext();
  };
}

const keyOf = (kind: ReadKind, companyId: Id): string => `${kind} ${companyId}`;
const companyOf = (key: string): Id => key.slice(key.indexOf(' ') + 1);
