import {
  connectDashboard,
  type Dashboard,
  type DashboardState,
  fetchAppointments,
} from '@appointment-emissions/dashboard';
import {
  APPOINTMENT_EVENTS,
  type AppointmentSnapshot,
  type EmissionMeta,
} from '@appointment-emissions/contracts';
import type { World } from '../../test/harness/world.ts';
import { versionOf } from './shop.ts';

export interface Screens {
  /** What no screen may do: show an earlier state of the database, or another company's appointment. */
  violations: string[];
  /** Snapshots shown, live or replayed, and how many of them were replayed. */
  readonly shown: number;
  readonly replayed: number;
  /** Reasons for which screens had to load the list again, and how often each. */
  reloads: Record<string, number>;
  /** Lists that one screen took after its first, at most. */
  readonly mostReloads: number;
  readonly lists: number;
  /** What each says of itself now. */
  states: () => DashboardState[];
  /** Differences between what the screens show and the list of the API, as of now; empty when all are live and equal. */
  differences: (url: string) => Promise<string[]>;
  close: () => void;
}

const DAY_MS = 24 * 3_600_000;
/** Enough for the days that the shop books, and the same for all. */
const RANGE_DAYS = 30;

export interface ScreensDeps {
  world: World;
  places: readonly { companyId: string; url: string }[];
  /** A screen, by its place, was told of an emission. */
  onShown?: ((screen: number, meta: EmissionMeta) => void) | undefined;
}

/** Opens dashboards with the browser library in them, which keeps them up to date by itself, and watches each. */
export async function openScreens({ world, places, onShown }: ScreensDeps): Promise<Screens> {
  const violations: string[] = [];
  const reloads: Record<string, number> = {};
  let [shown, replayed, lists, mostReloads] = [0, 0, 0, 0];

  const open = await Promise.all(
    places.map(async ({ companyId, url }, index) => {
      const token = await world.token(companyId, '2h');
      const dashboard = connectDashboard({
        url,
        getToken: () => Promise.resolve(token),
        loadSnapshot: (used) => {
          lists += 1;
          return loadList(url, used);
        },
        socketOptions: index % 2 === 0 ? { transports: ['websocket'] } : {},
        timings: { longestReconnectMs: 2_000, longestReloadMs: 2_000 },
      });
      watch(dashboard, companyId, index);
      return { dashboard, companyId, token, words: `screen ${index}` };
    }),
  );

  function watch(dashboard: Dashboard, companyId: string, index: number): void {
    const words = `screen ${index}`;
    const newest = new Map<string, number>();
    let ownLists = 0;
    function see(appointment: AppointmentSnapshot, how: string): void {
      const { _id, companyId: owner } = appointment;
      if (owner !== companyId) violations.push(`${words} was shown an appointment of another company`);
      const [version, before] = [versionOf(appointment), newest.get(_id) ?? 0];
      if (version < before)
        violations.push(`${words} went back from ${before} to ${version} of ${_id}, by ${how}`);
      newest.set(_id, version);
    }
    for (const event of APPOINTMENT_EVENTS) {
      dashboard.on(event, ({ appointment }, meta) => {
        shown += 1;
        if (meta.replayed) replayed += 1;
        onShown?.(index, meta);
        see(appointment, meta.replayed ? 'a replay' : 'an event');
      });
    }
    dashboard.on('appointments', (rows) => {
      ownLists += 1;
      mostReloads = Math.max(mostReloads, ownLists - 1);
      for (const { appointment } of rows.values()) see(appointment, 'the list');
    });
    dashboard.on('state', (state, reason) => {
      if (state !== 'reload-needed') return;
      reloads[reason ?? 'first'] = (reloads[reason ?? 'first'] ?? 0) + 1;
    });
  }

  async function difference(screen: (typeof open)[number], url: string): Promise<string[]> {
    const { dashboard, token, words } = screen;
    if (dashboard.state !== 'live') return [`${words} is ${dashboard.state}`];
    const { appointments } = await loadList(url, token);
    const listed = new Map(appointments.map(({ appointment }) => [appointment._id, appointment]));
    const ids = new Set([...listed.keys(), ...dashboard.appointments.keys()]);
    return [...ids].flatMap((id) => {
      const [has, should] = [dashboard.appointments.get(id)?.appointment, listed.get(id)];
      if (JSON.stringify(has) === JSON.stringify(should)) return [];
      return [
        `${words} shows ${has?.notes ?? 'nothing'} of ${id}, the list has ${should?.notes ?? 'nothing'}`,
      ];
    });
  }

  return {
    violations,
    get shown() {
      return shown;
    },
    get replayed() {
      return replayed;
    },
    reloads,
    get mostReloads() {
      return mostReloads;
    },
    get lists() {
      return lists;
    },
    states: () => open.map(({ dashboard }) => dashboard.state),
    async differences(url) {
      return (await Promise.all(open.map((screen) => difference(screen, url)))).flat();
    },
    close() {
      for (const { dashboard } of open) dashboard.close();
    },
  };
}

function loadList(url: string, token: string) {
  const today = Date.now() - (Date.now() % DAY_MS);
  const [from, to] = [new Date(today - RANGE_DAYS * DAY_MS), new Date(today + RANGE_DAYS * DAY_MS)];
  return fetchAppointments({ url, token, from, to });
}
