/** Typed event subscriptions. */
export interface Listeners<Events extends Record<keyof Events, (...args: never[]) => void>> {
  /** Returns a function that removes the listener. */
  on: <Name extends keyof Events>(name: Name, listener: Events[Name]) => () => void;
  emit: <Name extends keyof Events>(name: Name, ...args: Parameters<Events[Name]>) => void;
}

/** @param report receives errors that listeners throw, so that one listener does not prevent the others from being called */
export function createListeners<Events extends Record<keyof Events, (...args: never[]) => void>>(
  report: (error: unknown) => void = throwUncaught,
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

/** Throws outside of the caller, so that the browser or Node reports an uncaught error. */
function throwUncaught(error: unknown): void {
  setTimeout(() => {
    throw error;
  });
}
