import type { Dashboard, DashboardState, ReloadReason } from '@appointment-emissions/dashboard';
import { byId, setText } from './elements.ts';

const WORDS: Record<DashboardState, string> = {
  connecting: 'Connecting…',
  'catching-up': 'Catching up…',
  live: 'Live',
  stale: 'Not live',
  'reload-needed': 'Reloading…',
  closed: 'Closed',
};

const REASONS: Record<ReloadReason, string> = {
  trimmed: 'away for too long',
  epoch: 'the server began anew',
  'too-many': 'too much was missed',
  gone: 'an appointment is gone',
  invalid: 'what was missed could not be told',
  unavailable: 'the server could not tell what was missed',
  'rate-limited': 'the server is busy',
};

/** A dip that is shorter is not worth interrupting somebody for. */
const ANNOUNCED_AFTER_MS = 4_000;

/**
 * Shows the connection's state, and since when it is not live where that lasts; announces it.
 * @param timeOf  a time of day as the page shows it
 */
export function showConnection(
  dashboard: Dashboard,
  announce: (text: string) => void,
  timeOf: (instant: Date) => string,
): void {
  const badge = byId('state', HTMLParagraphElement);
  const reload = byId('reload', HTMLButtonElement);
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let isDown = false;

  function textOf(state: DashboardState): string {
    const since = dashboard.notLiveSince;
    const isShort = state !== 'stale' && !isDown;
    return since === undefined || isShort ? WORDS[state] : `Not live since ${timeOf(since)}`;
  }

  function show(state: DashboardState, reason?: ReloadReason): void {
    badge.dataset.state = state;
    setText(badge, textOf(state));
    badge.title = reason === undefined ? WORDS[state] : `The list is loaded again: ${REASONS[reason]}`;
    reload.hidden = state !== 'reload-needed';
    if (state === 'live') {
      clearTimeout(waiting);
      waiting = undefined;
      if (isDown) announce('Live again');
      isDown = false;
    } else if (waiting === undefined && !isDown) {
      waiting = setTimeout(() => {
        waiting = undefined;
        isDown = true;
        setText(badge, textOf(dashboard.state));
        announce(`${badge.textContent}: what you see may be out of date.`);
      }, ANNOUNCED_AFTER_MS);
    }
  }

  reload.addEventListener('click', () => {
    dashboard.reload().catch(() => {
      announce('The list could not be loaded; trying again soon');
    });
  });
  dashboard.on('state', show);
  show(dashboard.state);
}
