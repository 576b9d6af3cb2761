import {
  type AppointmentList,
  type AppointmentSnapshot,
  connectDashboard,
  type Dashboard,
  type DashboardOptions,
  type DashboardState,
  fetchAppointments,
  type ReloadReason,
} from '@appointment-emissions/dashboard';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';

/** A dashboard with the browser library, and a record of its events. */
export interface Screen {
  dashboard: Dashboard;
  companyId: string;
  /** Received events, in order: `event appointmentId`. */
  shownEvents: string[];
  /** Why it had to reload, each time. */
  reloads: (ReloadReason | undefined)[];
  /** How often it has loaded the list. */
  readonly lists: number;
  notes: (appointmentId: string) => string | null | undefined;
  becomes: (state: DashboardState, deadlineMs?: number) => Promise<unknown>;
}

const DAY_MS = 24 * 3_600_000;
/** The library's own waits are for humans and real networks. */
const FAST = {
  reconnectMs: 100,
  longestReconnectMs: 400,
  catchUpMs: 50,
  longestCatchUpMs: 400,
  reloadMs: 100,
  longestReloadMs: 400,
};

/** The same range for all requests of one day, as pages use it: the API reads such lists together. */
function loadList(url: string, token: string): Promise<AppointmentList> {
  const today = Date.now() - (Date.now() % DAY_MS);
  const [from, to] = [new Date(today - 7 * DAY_MS), new Date(today + 8 * DAY_MS)];
  return fetchAppointments({ url, token, from, to });
}

/** Opens a screen of a company that loads the list by itself, through `url`. */
export async function openScreen(
  world: World,
  url: string,
  companyId: string,
  { timings, ...over }: Partial<DashboardOptions> = {},
): Promise<Screen> {
  const token = await world.token(companyId);
  const shownEvents: string[] = [];
  const reloads: Screen['reloads'] = [];
  let lists = 0;
  const dashboard = connectDashboard({
    url,
    getToken: () => Promise.resolve(token),
    loadSnapshot: async (used) => {
      const list = await loadList(url, used);
      lists += 1;
      return list;
    },
    socketOptions: { transports: ['websocket'] },
    timings: { ...FAST, ...timings },
    ...over,
  });
  world.keep(dashboard, dashboard.close);
  for (const event of ['appointment:created', 'appointment:updated', 'appointment:canceled'] as const) {
    dashboard.on(event, ({ appointment: { _id } }) => shownEvents.push(`${event} ${_id}`));
  }
  dashboard.on('state', (state, reason) => {
    if (state === 'reload-needed') reloads.push(reason);
  });
  return {
    dashboard,
    companyId,
    shownEvents,
    reloads,
    get lists() {
      return lists;
    },
    notes: (appointmentId) => dashboard.appointments.get(appointmentId)?.appointment.notes,
    becomes: (state, deadlineMs) =>
      eventually(`the screen to be ${state}`, () => dashboard.state === state, deadlineMs),
  };
}

/** Waits until every screen is live and equals the list, in every field of every appointment. */
export async function allEqualList(
  world: World,
  api: { url: string },
  screens: readonly Screen[],
  deadlineMs?: number,
): Promise<void> {
  await eventually(
    'every screen to equal the list',
    async () => {
      const differences = await Promise.all(
        screens.map(async ({ dashboard, companyId }, index) => {
          if (dashboard.state !== 'live') return [`screen ${index} is ${dashboard.state}`];
          const list = await loadList(api.url, await world.token(companyId));
          const listed = new Map(list.appointments.map(({ appointment }) => [appointment._id, appointment]));
          return difference(dashboard, listed).map((words) => `screen ${index}: ${words}`);
        }),
      );
      const all = differences.flat();
      if (all.length > 0) throw new Error(all.slice(0, 5).join('; '));
      return true;
    },
    deadlineMs,
  );
}

function difference(dashboard: Dashboard, listed: ReadonlyMap<string, AppointmentSnapshot>): string[] {
  const ids = new Set([...listed.keys(), ...dashboard.appointments.keys()]);
  return [...ids].flatMap((id) => {
    const [shown, wanted] = [dashboard.appointments.get(id)?.appointment, listed.get(id)];
    return JSON.stringify(shown) === JSON.stringify(wanted)
      ? []
      : [`${id} shows ${shown?.notes ?? 'nothing'}, the list has ${wanted?.notes ?? 'nothing'}`];
  });
}
