import { createAlarm } from './alarm.ts';
import { createBackoff } from './backoff.ts';
import type { Connection } from './connection.ts';
import type { Timings } from './options.ts';
import type { Sequence } from './sequence.ts';

export interface CatchUpDeps {
  timings: Timings;
  random: () => number;
  sequence: Sequence;
  connection: () => Connection | undefined;
  onChange: () => void;
}

/** Answers in a row that left the gap as it was, before the list is loaded instead. */
const FUTILE_MAX = 5;

/** Asks the server for what is missing, one question at a time, for as long as something is. */
export function createCatchUp({ timings, random, sequence, connection, onChange }: CatchUpDeps) {
  const backoff = createBackoff({ firstMs: timings.catchUpMs, longestMs: timings.longestCatchUpMs, random });
  const next = createAlarm();
  const asking = new WeakSet<Connection>();
  let futile = 0;

  async function ask(): Promise<void> {
    const used = connection();
    const from = sequence.place && { ...sequence.place };
    if (!sequence.behind || used === undefined || from === undefined) return;
    asking.add(used);
    try {
      const position = await used.catchUp(from, timings.answerMs);
      if (used !== connection()) return;
      const before = sequence.place?.offset;
      sequence.answered(from, position);
      const helped = !position.recovered || sequence.place?.offset !== before;
      futile = helped ? 0 : futile + 1;
    } catch {
      // No answer in time. Where the connection itself is gone, its end is told elsewhere.
    } finally {
      asking.delete(used);
      onChange();
    }
  }

  return {
    /** To be called after every change; the first question waits a moment, in which the gap may close by itself. */
    check(): void {
      const used = connection();
      if (used !== undefined && asking.has(used)) return;
      if (!sequence.behind) {
        next.clear();
        backoff.reset();
        futile = 0;
      } else if (futile >= FUTILE_MAX) {
        futile = 0;
        sequence.skip('unavailable');
      } else if (!next.isSet) next.set(backoff.nextMs(), () => void ask());
    },
    close: next.clear,
  };
}
