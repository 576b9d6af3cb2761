import { within } from '../process/lifecycle.ts';

export interface WatchReadsDeps {
  /** Reads from MongoDB. Rejects if it cannot be read; may never settle. */
  probe: () => Promise<void>;
  everyMs?: number;
  timeoutMs?: number;
}

export interface Reads {
  /** Whether MongoDB can be read, as of the last probes. */
  work: () => boolean;
  close: () => void;
}

/** One slow reply is not an outage. */
const MAX_FAILURES = 2;

/**
 * Checks every two seconds whether MongoDB can be read, one probe at a time, for all sockets of a gateway. A frozen server
 * is detected within 7 s: two probes of 1.5 s each.
 */
export function watchReads({ probe, everyMs = 2_000, timeoutMs = 1_500 }: WatchReadsDeps): Reads {
  let failures = MAX_FAILURES;
  let busy = false;

  function check(): void {
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

  check();
  const timer = setInterval(check, everyMs);
  return {
    work: () => failures < MAX_FAILURES,
    close: () => {
      clearInterval(timer);
    },
  };
}
