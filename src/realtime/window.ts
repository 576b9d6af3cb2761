/** At most `most` in a window of `ms`. */
export function createWindow(most: number, ms: number): () => boolean {
  let endsAt = 0;
  let used = 0;
  return () => {
    const now = Date.now();
    if (now >= endsAt) {
      endsAt = now + ms;
      used = 0;
    }
    used += 1;
    return used <= most;
  };
}
