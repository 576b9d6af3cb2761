import type { EmissionMeta, Id, Seen } from '@appointment-emissions/contracts';
import type { ApiAddress } from './api-address.ts';
import { createCatchUp } from './catch-up.ts';
import type { EditedScreen } from './edits/edited-screen.ts';
import { createEdits } from './edits/edits.ts';
import { createLink } from './link.ts';
import { createLiveness } from './liveness.ts';
import { DEFAULT_TIMINGS, type DashboardOptions, type ShowTrace } from './options.ts';
import { createReload } from './reload.ts';
import type { ReceivedEvent } from './reorder-buffer.ts';
import { Sequence } from './sequence.ts';
import { createTokens } from './tokens.ts';

export interface FollowLogDeps {
  options: DashboardOptions;
  address: ApiAddress;
  screen: EditedScreen;
  /** An event has changed the screen. */
  onShown: (event: ReceivedEvent) => void;
  /** An edit has changed what is shown of an appointment. */
  onEdited: (id: Id) => void;
  /** A list was put on the screen. */
  onListed: () => void;
  /** The state may have changed. */
  onChange: () => void;
  /** See {@link SessionDeps.onIgnored}. */
  onIgnored: () => void;
  onProblem: (error: unknown) => void;
}

/**
 * Keeps a screen in step with the company log: composes connection, sequence, catch-up, reload and edits. It opens the first connection
 * after the first list, or at once if only the app loads lists.
 */
export function followLog(deps: FollowLogDeps) {
  const { options, screen, onProblem } = deps;
  const { loadSnapshot: load, random = Math.random } = options;
  const timings = { ...DEFAULT_TIMINGS, ...options.timings };
  const tokens = createTokens({
    getToken: options.getToken,
    timeoutMs: timings.tokenMs,
    firstPauseMs: timings.reconnectMs,
  });
  const acknowledge = createAcknowledge(options, (seen) => link.connection?.acknowledge(seen));
  const sequence = createSequence(deps, acknowledge);
  const liveness = createLiveness({ silenceMs: timings.silenceMs, onSilent: onStep });
  const shared = { timings, random, tokens, sequence, onChange: onStep, onOtherScope, onProblem };
  const link = createLink({ ...deps, ...shared, liveness, onReceived: options.trace?.onReceived });
  const catchUp = createCatchUp({ ...shared, connection: () => link.connection });
  const edits = createEdits({ ...shared, screen, onEdited: deps.onEdited });
  const reloading = createReload({
    ...shared,
    load,
    screen,
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

  /** What is on the screen may be outside of the new scope. @param isListCurrent true if the list in flight is of the new scope */
  function onOtherScope(isListCurrent = false): void {
    screen.clear();
    sequence.onOtherScope(isListCurrent);
    deps.onListed();
    onStep();
  }

  return {
    sequence,
    liveness,
    reload: reloading.reload,
    edit: edits.edit,
    start(): void {
      if (load) reloading.start();
      else link.open();
    },
    close(): void {
      isClosed = true;
      for (const part of [edits, reloading, catchUp, link, tokens]) part.close();
    },
  };
}

function createSequence(
  { options, screen, onShown }: FollowLogDeps,
  acknowledge: (meta: EmissionMeta) => void,
): Sequence {
  const show: ShowTrace['show'] =
    options.trace?.show ??
    ((_event, run) => {
      run();
    });
  return new Sequence({
    screen,
    onShown(event) {
      show(event, () => {
        onShown(event);
      });
      acknowledge(event.meta);
    },
  });
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
function createAcknowledge(
  { acknowledgeShare: share = 0.25, random = Math.random }: DashboardOptions,
  send: (seen: Seen) => void,
): (meta: EmissionMeta) => void {
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
