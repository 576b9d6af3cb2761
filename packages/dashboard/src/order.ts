/** The order of a snapshot among all snapshots of its appointment. */
export interface Stamp {
  epoch: string;
  offset: number;
  /** 0 for a live emission; increases with lists and replays. */
  read: number;
}

/** Compares stamps of one epoch, for `Array.sort`: negative if `a` was read before `b`. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return a.offset - b.offset || a.read - b.read;
}

/**
 * True if a snapshot may replace the one on the screen. Stamps of different epochs are not comparable, so the caller must ensure
 * that `candidate` is not of an earlier epoch.
 */
export function isAbove(candidate: Stamp, shown: Stamp | undefined): boolean {
  return shown === undefined || shown.epoch !== candidate.epoch || compareStamps(candidate, shown) > 0;
}
