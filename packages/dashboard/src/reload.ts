import { createAlarm } from './alarm.ts';
import { createBackoff } from './backoff.ts';
import type { LoadSnapshot, Timings } from './options.ts';
import type { Sequence } from './sequence.ts';
import type { Tokens } from './tokens.ts';

export interface ReloadDeps {
  /** Undefined where only the app loads. */
  load: LoadSnapshot | undefined;
  timings: Timings;
  random: () => number;
  tokens: Tokens;
  sequence: Sequence;
  onListed: () => void;
  onProblem: (error: unknown) => void;
}

/** Loads the list, one at a time; by itself where something is missing that can't be replayed. */
export function createReload({ load, timings, random, tokens, sequence, onListed, onProblem }: ReloadDeps) {
  const backoff = createBackoff({ firstMs: timings.reloadMs, longestMs: timings.longestReloadMs, random });
  const next = createAlarm();
  let last: Promise<void> = Promise.resolve();
  let underWay = 0;
  let closed = false;

  async function run(loadNow: LoadSnapshot): Promise<void> {
    const token = await tokens.current();
    sequence.requested();
    let list;
    try {
      list = await loadNow(token);
    } catch (error) {
      if ((error as { status?: unknown } | null)?.status === 401) tokens.refuse(token);
      throw error;
    }
    tokens.accept(token);
    if (closed) return;
    if (!sequence.listed(list)) throw new Error('the list was older than what is shown');
    backoff.reset();
    onListed();
  }

  /** After the one under way, since that may have been asked for another range. */
  function reload(loadNow = load): Promise<void> {
    if (loadNow === undefined) return Promise.reject(new Error('there is nothing to load the list with'));
    underWay += 1;
    const mine = last
      .then(() => run(loadNow))
      .finally(() => {
        underWay -= 1;
      });
    last = mine.catch(() => undefined);
    return mine;
  }

  function later(firstMs?: number): void {
    next.set(firstMs ?? backoff.nextMs(), () => {
      reload().catch((error: unknown) => {
        if (closed) return;
        onProblem(error);
        later();
      });
    });
  }

  return {
    reload,
    /** The first one: at once, and again until it succeeds. */
    start: () => {
      later(0);
    },
    /** To be called after every change. */
    check(): void {
      if (load !== undefined && sequence.missing !== undefined && underWay === 0 && !next.isSet) later();
    },
    close(): void {
      closed = true;
      next.clear();
    },
  };
}
