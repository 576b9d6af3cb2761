import type { EmissionMeta, Seen } from '@appointment-emissions/contracts';

export interface AcknowledgeDeps {
  /** Share of the shown emissions to report, 0 to 1. */
  share: number;
  random: () => number;
  send: (seen: Seen) => void;
}

/** Minimum time between two reports. */
const MIN_INTERVAL_MS = 10_000;
/** If painting took longer, the page was probably in the background and the measurement is meaningless. */
const MAX_PAINT_MS = 2_000;

interface BrowserGlobals {
  requestAnimationFrame?: (callback: () => void) => unknown;
  document?: { hidden?: boolean };
}

/**
 * Reports to the server, for a sample of the emissions, that an emission is on the screen. Operators see the latency from acceptance
 * to the screen. It sends at most one report in ten seconds, after the browser has painted, and none from a hidden page.
 */
export function createAcknowledge({ share, random, send }: AcknowledgeDeps): (meta: EmissionMeta) => void {
  let nextAt = -Infinity;
  return ({ emissionId, acceptedAt, replayed }) => {
    const shownAt = performance.now();
    if (replayed || share <= 0 || shownAt < nextAt || random() >= share) return;
    nextAt = shownAt + MIN_INTERVAL_MS;
    afterPaint(() => {
      if (performance.now() - shownAt <= MAX_PAINT_MS) send({ emissionId, acceptedAt });
    });
  };
}

function afterPaint(callback: () => void): void {
  const { requestAnimationFrame, document } = globalThis as BrowserGlobals;
  if (document?.hidden) return;
  if (requestAnimationFrame) requestAnimationFrame(() => setTimeout(callback));
  else setTimeout(callback);
}
