import type { EmissionMeta, Seen } from '@appointment-emissions/contracts';
import type { ApiAddress } from './api-address.ts';
import { createCatchUp } from './catch-up.ts';
import { createLink } from './link.ts';
import { createLiveness } from './liveness.ts';
import { DEFAULT_TIMINGS, type DashboardOptions } from './options.ts';
import { createReload } from './reload.ts';
import type { ReceivedEvent } from './reorder-buffer.ts';
import type { Screen } from './screen.ts';
import { Sequence } from './sequence.ts';
import { createTokens } from './tokens.ts';

export interface FollowLogDeps {
  options: DashboardOptions;
  address: ApiAddress;
  screen: Screen;
  /** An event has changed the screen. */
  onShown: (event: ReceivedEvent) => void;
  /** A list was put on the screen. */
  onListed: () => void;
  /** The state may have changed. */
  onChange: () => void;
  /** See {@link SessionDeps.onIgnored}. */
  onIgnored: () => void;
  onProblem: (error: unknown) => void;
}

/**
 * Keeps a screen in step with the company log: composes connection, sequence, catch-up and reload. It opens the first connection
 * after the first list, or at once if only the app loads lists.
 */
export function followLog(deps: FollowLogDeps) {
  const { options, address, screen, onIgnored, onProblem } = deps;
  const { loadSnapshot: load, random = Math.random } = options;
  const timings = { ...DEFAULT_TIMINGS, ...options.timings };
  const tokens = createTokens({
    getToken: options.getToken,
    timeoutMs: timings.tokenMs,
    firstPauseMs: timings.reconnectMs,
  });
  const acknowledge = createAcknowledge({
    share: options.acknowledgeShare ?? 0.25,
    random,
    send: (seen) => link.connection?.acknowledge(seen),
  });
  const sequence = new Sequence({
    screen,
    onShown(event) {
      deps.onShown(event);
      acknowledge(event.meta);
    },
  });
  const liveness = createLiveness({ silenceMs: timings.silenceMs, onSilent: onStep });
  const shared = { timings, random, tokens, sequence, onChange: onStep, onProblem };
  const link = createLink({ ...shared, options, address, liveness, onIgnored });
  const catchUp = createCatchUp({ ...shared, connection: () => link.connection });
  const reloading = createReload({
    ...shared,
    load,
    onListed() {
      deps.onListed();
      link.open();
      onStep();
    },
  });
  let isClosed = false;

  function onStep(): void {
    if (isClosed) return;
    catchUp.check();
    reloading.check();
    deps.onChange();
  }

  return {
    sequence,
    liveness,
    reload: reloading.reload,
    start(): void {
      if (load) reloading.start();
      else link.open();
    },
    close(): void {
      isClosed = true;
      reloading.close();
      catchUp.close();
      link.close();
      tokens.close();
    },
  };
}

interface AcknowledgeDeps {
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
function createAcknowledge({ share, random, send }: AcknowledgeDeps): (meta: EmissionMeta) => void {
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
