/** Typed subscriptions. */
export interface Listeners<Events extends Record<keyof Events, (...args: never[]) => void>> {
  /** Returns what takes the listener away again. */
  on: <Name extends keyof Events>(name: Name, listener: Events[Name]) => () => void;
  emit: <Name extends keyof Events>(name: Name, ...args: Parameters<Events[Name]>) => void;
}

/** @param report is given a listener's fault, which must not leave us halfway through an event */
export function createListeners<Events extends Record<keyof Events, (...args: never[]) => void>>(
  report: (fault: unknown) => void = throwOnItsOwn,
): Listeners<Events> {
  const byName = new Map<keyof Events, Set<(...args: never[]) => void>>();
  return {
    on(name, listener) {
      const listeners = byName.get(name) ?? new Set();
      byName.set(name, listeners.add(listener));
      return () => {
        listeners.delete(listener);
      };
    },
    emit(name, ...args) {
      for (const listener of byName.get(name) ?? []) {
        try {
          (listener as (...args: Parameters<Events[typeof name]>) => void)(...args);
        } catch (error) {
          report(error);
        }
      }
    },
  };
}

/** As an uncaught error, which browsers and Node report. */
function throwOnItsOwn(fault: unknown): void {
  setTimeout(() => {
    throw fault;
  });
}
