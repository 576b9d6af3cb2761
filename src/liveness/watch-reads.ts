import { within } from '../process/lifecycle.ts';

export interface WatchReadsDeps {
  /** Reads from MongoDB. @throws when it cannot be read; may never settle */
  probe: () => Promise<void>;
  everyMs?: number;
  timeoutMs?: number;
}

export interface Reads {
  /** Whether MongoDB can be read, as of the last probes. */
  work: () => boolean;
  close: () => void;
}

/** One slow answer is no outage. */
const FAILURES_UNTIL_FALSE = 2;

/**
 * Probes every two seconds whether MongoDB can be read, one probe at a time, for all sockets of a gateway. A frozen server
 * is noticed within 7 s: two probes of 1.5 s each.
 */
export function watchReads({ probe, everyMs = 2_000, timeoutMs = 1_500 }: WatchReadsDeps): Reads {
  let failures = FAILURES_UNTIL_FALSE;
  let busy = false;

  function look(): void {
    if (busy) return;
    busy = true;
    within(timeoutMs, 'a read', probe())
      .then(
        () => {
          failures = 0;
        },
        () => {
          failures += 1;
        },
      )
      .finally(() => {
        busy = false;
      });
  }

  look();
  const timer = setInterval(look, everyMs);
  return {
    work: () => failures < FAILURES_UNTIL_FALSE,
    close: () => {
      clearInterval(timer);
    },
  };
}
