import { createAlarm, createBackoff } from './timers.ts';
import type { Connection } from './connection.ts';
import type { Timings } from './options.ts';
import { parsePosition } from './parse.ts';
import type { Sequence } from './sequence.ts';

interface Deps {
  timings: Timings;
  random: () => number;
  sequence: Sequence;
  connection: () => Connection | undefined;
  onChange: () => void;
}

/** Consecutive replies that may leave the gap unchanged. After that the list is loaded instead. */
const MAX_FUTILE_REPLIES = 5;

/** Requests catch-ups, one at a time, until no emission is missing. */
export function createCatchUp({ timings, random, sequence, connection, onChange }: Deps) {
  const backoff = createBackoff({ firstMs: timings.catchUpMs, longestMs: timings.longestCatchUpMs, random });
  const next = createAlarm();
  const withOpenRequest = new WeakSet<Connection>();
  let futileReplies = 0;

  async function request(): Promise<void> {
    const used = connection();
    const from = sequence.position && { ...sequence.position };
    if (!sequence.isBehind || used === undefined || from === undefined) return;
    withOpenRequest.add(used);
    try {
      const update = parsePosition(await used.catchUp(from, timings.answerMs));
      if (used !== connection()) return;
      if (update === undefined) {
        futileReplies += 1;
        return;
      }
      const before = sequence.position?.offset;
      sequence.onReply(from, update);
      const helped = !update.recovered || sequence.position?.offset !== before;
      futileReplies = helped ? 0 : futileReplies + 1;
    } catch {
      // No reply in time: `check` schedules another request. If the connection has ended, `link.ts` opens another.
    } finally {
      withOpenRequest.delete(used);
      onChange();
    }
  }

  return {
    /** Must be called after every change. The first request is delayed a little, since the gap may close without it. */
    check(): void {
      const used = connection();
      if (used !== undefined && withOpenRequest.has(used)) return;
      if (!sequence.isBehind) {
        next.clear();
        backoff.reset();
        futileReplies = 0;
      } else if (futileReplies >= MAX_FUTILE_REPLIES) {
        futileReplies = 0;
        sequence.onFutileCatchUps();
      } else if (!next.isSet) next.set(backoff.nextMs(), () => void request());
    },
    close: next.clear,
  };
}
