import type { Alive } from '@appointment-emissions/contracts';
import { createAlarm } from './alarm.ts';

export interface LivenessDeps {
  silenceMs: number;
  now?: () => number;
  /** Called when the silence has lasted for too long. */
  onSilent: () => void;
}

export type Liveness = ReturnType<typeof createLiveness>;

/** Judges by positions and heartbeats whether changes would arrive over the present connection. */
export function createLiveness({ silenceMs, now = Date.now, onSilent }: LivenessDeps) {
  const silence = createAlarm();
  let reads = true;
  let isSilent = false;
  let heardAt = now();

  function heard(): void {
    heardAt = now();
    isSilent = false;
    silence.set(silenceMs, () => {
      isSilent = true;
      onSilent();
    });
  }

  return {
    /** Changes may not arrive: no position and no heartbeat for too long, or MongoDB cannot be read. */
    get isStale(): boolean {
      return isSilent || !reads;
    },
    /** Up to when what is shown is known to be complete, once it is not live any more. */
    get lastLiveAt(): number {
      return isSilent || !silence.isSet ? heardAt : now();
    },
    connected(): void {
      reads = true;
      heard();
    },
    positioned: heard,
    alive(alive: Alive): void {
      reads = (alive as Partial<Alive> | undefined)?.reads !== false;
      heard();
    },
    disconnected(): void {
      silence.clear();
      isSilent = false;
    },
  };
}
