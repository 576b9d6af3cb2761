/** A timer that holds at most one pending call. */
export interface Alarm {
  readonly isSet: boolean;
  /** Replaces a pending call. */
  set: (delayMs: number, ring: () => void) => void;
  clear: () => void;
}

export function createAlarm(): Alarm {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const clear = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    get isSet() {
      return timer !== undefined;
    },
    set(delayMs, ring) {
      clear();
      timer = setTimeout(() => {
        timer = undefined;
        ring();
      }, delayMs);
    },
    clear,
  };
}
