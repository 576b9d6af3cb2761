/** One timer at a time, so that closing needs to clear only one. */
export interface Alarm {
  readonly isSet: boolean;
  /** Replaces what was set before. */
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
