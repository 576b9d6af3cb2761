/** Which confirmed read a snapshot came from. */
export interface Stamp {
  epoch: string;
  offset: number;
  /** 0 for a live emission, counted up for lists and replays. */
  read: number;
}

/** Orders stamps of one epoch: negative where `a` was read before `b`. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return a.offset - b.offset || a.read - b.read;
}

/**
 * Whether a snapshot may take the place of the one shown for the same appointment. Across epochs nothing can be
 * compared: there the caller must know that `candidate` is of the later one.
 */
export function isAbove(candidate: Stamp, shown: Stamp | undefined): boolean {
  return shown === undefined || shown.epoch !== candidate.epoch || compareStamps(candidate, shown) > 0;
}
