import type { Alive } from '@appointment-emissions/contracts';
import { createAlarm } from './timers.ts';

export interface LivenessDeps {
  silenceMs: number;
  now?: () => number;
  /** Called if neither a position nor a heartbeat has arrived for `silenceMs`. */
  onSilent: () => void;
}

export type Liveness = ReturnType<typeof createLiveness>;

/** Decides from positions and heartbeats whether the connection still delivers changes. */
export function createLiveness({ silenceMs, now = Date.now, onSilent }: LivenessDeps) {
  const silence = createAlarm();
  let reads = true;
  let isSilent = false;
  let wasDisconnected = false;
  let receivedAt = now();

  function onSignOfLife(): void {
    receivedAt = now();
    isSilent = false;
    silence.set(silenceMs, () => {
      isSilent = true;
      onSilent();
    });
  }

  return {
    /** True if changes may not arrive: no position or heartbeat for too long, or the server cannot read MongoDB. */
    get isStale(): boolean {
      return isSilent || !reads;
    },
    /** Time up to which the screen is known to be complete, in ms since 1970. Meaningful only when it is no longer live. */
    get lastLiveAt(): number {
      return isSilent || !silence.isSet ? receivedAt : now();
    },
    /** True from the time when the server ended a connection until the next connection. */
    get wasDisconnected(): boolean {
      return wasDisconnected;
    },
    onConnect(): void {
      reads = true;
      wasDisconnected = false;
      onSignOfLife();
    },
    onPosition: onSignOfLife,
    onAlive(alive: Alive): void {
      reads = (alive as Partial<Alive> | undefined)?.reads !== false;
      onSignOfLife();
    },
    onServerDisconnect(): void {
      wasDisconnected = true;
    },
    onDisconnect(): void {
      silence.clear();
      isSilent = false;
    },
  };
}
