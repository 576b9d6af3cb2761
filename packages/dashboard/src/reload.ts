import type { AppointmentList } from '@appointment-emissions/contracts';
import type { EditedScreen } from './edits/edited-screen.ts';
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
  screen: Pick<EditedScreen, 'needsList' | 'onListRequest'>;
  /** Called before a list is shown that was loaded with a token of another scope. */
  onOtherScope: (isListCurrent: boolean) => void;
  onListed: () => void;
  onProblem: (error: unknown) => void;
}

const NO_LOAD = 'cannot reload: neither loadSnapshot nor a load function was given';

/**
 * Loads the list, one request at a time. Does so automatically if missed emissions cannot be replayed, or if only a list shows what
 * an edit has stored.
 */
export function createReload(deps: ReloadDeps) {
  const { load, timings, random, sequence, screen, onListed, onProblem } = deps;
  const backoff = createBackoff({ firstMs: timings.reloadMs, longestMs: timings.longestReloadMs, random });
  const next = createAlarm();
  const timeout = createAlarm();
  const requests = createRequestQueue();
  let isLoaded = false;
  let closed = false;

  async function run(loadNow: LoadSnapshot): Promise<void> {
    const loaded = await requestList(deps, loadNow, timeout);
    if (closed) return;
    showList(deps, loaded);
    isLoaded = true;
    onListed();
  }

  function reload(loadNow = load): Promise<void> {
    if (loadNow === undefined) return Promise.reject(new Error(NO_LOAD));
    return requests.add(() => run(loadNow)).then(check);
  }

  const isNeeded = () => !isLoaded || sequence.reloadReason !== undefined || screen.needsList;

  function schedule(firstMs?: number): void {
    next.set(firstMs ?? backoff.nextMs(), () => {
      if (!isNeeded()) return;
      reload().catch((error: unknown) => {
        if (closed) return;
        onProblem(error);
        schedule();
      });
    });
  }

  function check(): void {
    // A list that does not make the dashboard live counts as a failure, so reloads never follow one another quickly.
    if (sequence.state === 'live') backoff.reset();
    if (load === undefined || !isNeeded() || requests.pending > 0 || next.isSet || closed) return;
    // The screen is empty.
    schedule(sequence.reloadReason === 'scope' ? 0 : undefined);
  }

  return {
    reload,
    /** Loads the first list immediately, and retries until it succeeds. */
    start(): void {
      schedule(0);
    },
    /** Must be called after every change. */
    check,
    close(): void {
      closed = true;
      next.clear();
      timeout.clear();
    },
  };
}

/** Sends each request after the one in flight, since that one may have been sent for another range. */
function createRequestQueue() {
  let last: Promise<void> = Promise.resolve();
  let pending = 0;
  return {
    get pending() {
      return pending;
    },
    add(request: () => Promise<void>): Promise<void> {
      pending += 1;
      const current = last.then(request).finally(() => {
        pending -= 1;
      });
      last = current.catch(() => undefined);
      return current;
    },
  };
}

interface LoadedList {
  token: string;
  list: AppointmentList;
}

async function requestList(
  { timings, tokens, sequence, screen }: ReloadDeps,
  load: LoadSnapshot,
  timeout: Alarm,
): Promise<LoadedList> {
  const token = await tokens.current();
  sequence.onListRequest();
  screen.onListRequest();
  return { token, list: await inTime(loadWithToken(load, token, tokens), timeout, timings.listMs) };
}

function showList({ tokens, sequence, onOtherScope }: ReloadDeps, { token, list }: LoadedList): void {
  if (tokens.accept(token)) onOtherScope(true);
  if (!sequence.applyList(list)) throw new Error('the list may be older than the screen');
}

/** Loads a list and records if the server refused the token. */
async function loadWithToken(load: LoadSnapshot, token: string, tokens: Tokens): Promise<AppointmentList> {
  try {
    return parseList(await load(token));
  } catch (error) {
    const { status, code } = (error ?? {}) as { status?: unknown; code?: unknown };
    if (status === 401 || code === 'SCOPE_INVALID') tokens.refuse(token);
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
