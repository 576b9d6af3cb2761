/** A text that outlives a reload of the page. */
export interface Kept {
  get: () => string | undefined;
  set: (text: string) => void;
}

/**
 * Keeps a text in the browser's storage. Where the browser blocks storage (reading `localStorage` itself throws then)
 * or has no room, the text is kept until the page is closed.
 * @param storage  read at each use, such as `() => localStorage`
 */
export function createKept(storage: () => Storage, name: string): Kept {
  let inMemory: string | undefined;
  return {
    get() {
      try {
        return inMemory ?? storage().getItem(name) ?? undefined;
      } catch {
        return inMemory;
      }
    },
    set(text) {
      inMemory = text;
      try {
        storage().setItem(name, text);
      } catch {
        // Blocked or full.
      }
    },
  };
}
