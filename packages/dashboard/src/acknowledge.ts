import type { EmissionMeta, Seen } from '@appointment-emissions/contracts';

export interface AcknowledgeDeps {
  /** 0 to 1: which share of what is shown. */
  share: number;
  random: () => number;
  send: (seen: Seen) => void;
}

const PAUSE_MS = 10_000;
/** A page that was put aside meanwhile did not show it so late. */
const LONGEST_PAINT_MS = 2_000;

interface BrowserGlobals {
  requestAnimationFrame?: (then: () => void) => unknown;
  document?: { hidden?: boolean };
}

/**
 * Tells the server, for a sample, that an emission is on the screen, so that its operator sees how long that takes: at
 * most one in ten seconds, after the browser has painted, and none from a page that nobody looks at.
 */
export function createAcknowledge({ share, random, send }: AcknowledgeDeps): (meta: EmissionMeta) => void {
  let nextAt = -Infinity;
  return ({ emissionId, acceptedAt, replayed }) => {
    const shownAt = performance.now();
    if (replayed || share <= 0 || shownAt < nextAt || random() >= share) return;
    nextAt = shownAt + PAUSE_MS;
    afterPaint(() => {
      if (performance.now() - shownAt <= LONGEST_PAINT_MS) send({ emissionId, acceptedAt });
    });
  };
}

function afterPaint(then: () => void): void {
  const { requestAnimationFrame, document } = globalThis as BrowserGlobals;
  if (document?.hidden) return;
  if (requestAnimationFrame) requestAnimationFrame(() => setTimeout(then));
  else setTimeout(then);
}
