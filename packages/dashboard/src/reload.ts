import type { AppointmentList } from '@appointment-emissions/contracts';
import { type Alarm, createAlarm, createBackoff } from './timers.ts';
import type { LoadSnapshot, Timings } from './options.ts';
import { parseList } from './parse.ts';
import type { Sequence } from './sequence.ts';
import type { Tokens } from './tokens.ts';

export interface ReloadDeps {
  /** Undefined if only the app loads the list. */
  load: LoadSnapshot | undefined;
  timings: Timings;
  random: () => number;
  tokens: Tokens;
  sequence: Sequence;
  onListed: () => void;
  onProblem: (error: unknown) => void;
}

const NO_LOAD = 'cannot reload: neither loadSnapshot nor a load function was given';

/** Loads the list, one request at a time. Does so automatically if missed emissions cannot be replayed. */
export function createReload({ load, timings, random, tokens, sequence, onListed, onProblem }: ReloadDeps) {
  const backoff = createBackoff({ firstMs: timings.reloadMs, longestMs: timings.longestReloadMs, random });
  const next = createAlarm();
  const timeout = createAlarm();
  let last: Promise<void> = Promise.resolve();
  let pending = 0;
  let closed = false;

  async function run(loadNow: LoadSnapshot): Promise<void> {
    const token = await tokens.current();
    sequence.onListRequest();
    const list = await inTime(loadWithToken(loadNow, token, tokens), timeout, timings.listMs);
    if (closed) return;
    if (!sequence.applyList(list)) throw new Error('the list may be older than the screen');
    onListed();
  }

  /** Starts after the request in flight, since that one may have been sent for another range. */
  function reload(loadNow = load): Promise<void> {
    if (loadNow === undefined) return Promise.reject(new Error(NO_LOAD));
    pending += 1;
    const current = last
      .then(() => run(loadNow))
      .finally(() => {
        pending -= 1;
      });
    last = current.catch(() => undefined);
    return current;
  }

  function schedule(firstMs?: number): void {
    next.set(firstMs ?? backoff.nextMs(), () => {
      reload().catch((error: unknown) => {
        if (closed) return;
        onProblem(error);
        schedule();
      });
    });
  }

  return {
    reload,
    /** Loads the first list immediately, and retries until it succeeds. */
    start(): void {
      schedule(0);
    },
    /** Must be called after every change. */
    check(): void {
      // A list that does not make the dashboard live counts as a failure, so reloads never follow one another quickly.
      if (sequence.state === 'live') backoff.reset();
      if (load !== undefined && sequence.reloadReason !== undefined && pending === 0 && !next.isSet)
        schedule();
    },
    close(): void {
      closed = true;
      next.clear();
      timeout.clear();
    },
  };
}

/** Loads a list and records whether the server accepted the token. */
async function loadWithToken(load: LoadSnapshot, token: string, tokens: Tokens): Promise<AppointmentList> {
  try {
    const list = parseList(await load(token));
    tokens.accept(token);
    return list;
  } catch (error) {
    if ((error as { status?: unknown } | null)?.status === 401) tokens.refuse(token);
    throw error;
  }
}

/** Rejects if the list is not there in time. Without a limit a list that never arrives would block all later ones. */
function inTime(list: Promise<AppointmentList>, timeout: Alarm, limitMs: number): Promise<AppointmentList> {
  const expired = new Promise<never>((_, reject) => {
    timeout.set(limitMs, () => {
      reject(new Error(`the list was not loaded within ${limitMs / 1_000} s`));
    });
  });
  return Promise.race([list, expired]).finally(timeout.clear);
}
