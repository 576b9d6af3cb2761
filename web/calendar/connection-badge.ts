import type { Dashboard, DashboardState, ReloadReason } from '@appointment-emissions/dashboard';
import { byId, setText } from '../shared/elements.ts';

const LABELS: Record<DashboardState, string> = {
  connecting: 'Connecting…',
  'catching-up': 'Catching up…',
  live: 'Live',
  stale: 'Not live',
  'reload-needed': 'Reloading…',
  disconnected: 'Signed out',
  closed: 'Closed',
};

const REASONS: Record<ReloadReason, string> = {
  trimmed: 'the connection was lost for too long',
  epoch: 'the server was restarted',
  'too-many': 'too many changes were missed',
  gone: 'a changed appointment could not be loaded',
  invalid: 'the missed changes could not be read',
  unavailable: 'the server could not send the missed changes',
  'rate-limited': 'the server is busy',
  scope: 'you may see other appointments now',
};

/** Shorter interruptions are not announced. */
const ANNOUNCED_AFTER_MS = 4_000;

/**
 * Shows the state of the connection. If it is not live for some seconds, it shows since when and announces it.
 * @param timeOf formats a time of day
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
    return since === undefined || isShort ? LABELS[state] : `Not live since ${timeOf(since)}`;
  }

  function show(state: DashboardState, reason?: ReloadReason): void {
    badge.dataset.state = state;
    setText(badge, textOf(state));
    badge.title = reason === undefined ? LABELS[state] : `Reloading because ${REASONS[reason]}`;
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
        announce(`${badge.textContent}. The calendar may be out of date.`);
      }, ANNOUNCED_AFTER_MS);
    }
  }

  reload.addEventListener('click', () => {
    dashboard.reload().catch(() => {
      announce('The appointments could not be loaded. Retrying…');
    });
  });
  dashboard.on('state', show);
  show(dashboard.state);
}
