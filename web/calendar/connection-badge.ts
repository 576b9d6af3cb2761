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
  scope: 'your access has changed',
};

/** Shorter interruptions are not announced. */
const ANNOUNCED_AFTER_MS = 4_000;

export interface ConnectionDeps {
  dashboard: Dashboard;
  announce: (text: string) => void;
  /** Formats a time of day. */
  timeOf: (instant: Date) => string;
}

/** Shows the state of the connection. If it is not live for some seconds, the calendar is dimmed, with a notice since when. */
export function showConnection({ dashboard, announce, timeOf }: ConnectionDeps): void {
  const badge = byId('state', HTMLParagraphElement);
  const reload = byId('reload', HTMLButtonElement);
  const notice = byId('not-live', HTMLParagraphElement);
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let isDown = false;

  function show(): void {
    const { state, notLiveSince } = dashboard;
    const isAnnounced = isDown || state === 'stale';
    const since = isAnnounced && notLiveSince !== undefined ? timeOf(notLiveSince) : undefined;
    badge.dataset.state = state;
    setText(badge, since === undefined ? LABELS[state] : 'Not live');
    setText(
      notice,
      since === undefined ? '' : `Not live since ${since}. The appointments may be out of date.`,
    );
    notice.hidden = since === undefined;
    document.body.dataset.outOfDate = String(since !== undefined);
    reload.hidden = state !== 'reload-needed';
  }

  function onState(state: DashboardState, reason?: ReloadReason): void {
    badge.title = reason === undefined ? LABELS[state] : `Reloading because ${REASONS[reason]}`;
    if (state === 'live') {
      clearTimeout(waiting);
      waiting = undefined;
      if (isDown) announce('Live again');
      isDown = false;
    } else if (waiting === undefined && !isDown) {
      waiting = setTimeout(() => {
        waiting = undefined;
        isDown = true;
        show();
      }, ANNOUNCED_AFTER_MS);
    }
    show();
  }

  reload.addEventListener('click', () => {
    dashboard.reload().catch(() => {
      announce('The appointments could not be loaded. Retrying…');
    });
  });
  dashboard.on('state', onState);
  onState(dashboard.state);
}
