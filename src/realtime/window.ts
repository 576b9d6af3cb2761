/** At most `most` in a window of `ms`. */
export function createWindow(most: number, ms: number): () => boolean {
  let endsAt = -Infinity;
  let used = 0;
  return () => {
    const now = performance.now();
    if (now >= endsAt) {
      endsAt = now + ms;
      used = 0;
    }
    used += 1;
    return used <= most;
  };
}
