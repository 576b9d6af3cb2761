/** A text that is kept across reloads of the page. */
export interface StoredText {
  get: () => string | undefined;
  set: (text: string) => void;
}

/**
 * Stores a text in the browser's storage. If storage is blocked (then even reading `localStorage` throws) or full, the text is kept in
 * memory until the page is closed.
 * @param storage called at each use, such as `() => localStorage`
 */
export function createStoredText(storage: () => Storage, name: string): StoredText {
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
        // Storage is blocked or full: the text is in memory.
      }
    },
  };
}
