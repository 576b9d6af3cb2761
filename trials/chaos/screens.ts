import type { EmissionSource } from '@appointment-emissions/contracts';
import {
  connectDashboard,
  type Dashboard,
  type DashboardState,
  fetchAppointments,
} from '@appointment-emissions/dashboard';
import {
  SNAPSHOT_EVENTS,
  type AppointmentSnapshot,
  type EmissionMeta,
} from '@appointment-emissions/contracts';
import { sourceOf } from '../../src/domain/emission-log.ts';
import type { World } from '../../test/harness/world.ts';
import { createScreenCheck } from './history/check-screen.ts';
import { type History, versionOf } from './history/record-history.ts';

export interface Screens {
  /** Screens that showed an older state after a newer one, or an appointment of another company. */
  violations: string[];
  /** Snapshots shown, live and replayed; `replayed` counts the replayed ones alone. */
  readonly shown: number;
  readonly replayed: number;
  /** Shown events by what reported the write. */
  shownBySource: Record<EmissionSource, number>;
  /** Number of reloads by reason. */
  reloads: Record<string, number>;
  /** The largest number of epochs after the first one whose list one screen loaded. */
  readonly maxReloads: number;
  readonly lists: number;
  /** The current state of each dashboard. */
  states: () => DashboardState[];
  /** Current differences between the screens and the API's list; empty if all screens are live and equal to it. */
  differences: (url: string) => Promise<string[]>;
  close: () => void;
}

/** Longer than a run and a jump of the clock. */
const TOKEN_LIFETIME = '24h';
const DAY_MS = 24 * 3_600_000;
/** Covers all dates that the workload books; the same for all screens. */
const RANGE_DAYS = 30;

export interface ScreensDeps {
  world: World;
  places: readonly { companyId: string; url: string }[];
  /** Called with the index of a screen when it shows an emission. */
  onShown?: ((screen: number, meta: EmissionMeta) => void) | undefined;
  /** Receives all that the screens show. */
  history?: History | undefined;
}

/** Opens dashboards with the browser library and checks everything that they show. */
export async function openScreens({ world, places, onShown, history }: ScreensDeps): Promise<Screens> {
  const violations: string[] = [];
  const reloads: Record<string, number> = {};
  const shownBySource: Record<EmissionSource, number> = { call: 0, capture: 0, sweep: 0 };
  let [shown, replayed, lists, maxReloads] = [0, 0, 0, 0];

  const open = await Promise.all(
    places.map(async ({ companyId, url }, index) => {
      const token = await world.token(companyId, TOKEN_LIFETIME);
      const epochs = new Set<string>();
      const dashboard = connectDashboard({
        url,
        getToken: () => Promise.resolve(token),
        async loadSnapshot(used) {
          lists += 1;
          const list = await loadList(url, used);
          epochs.add(list.epoch);
          maxReloads = Math.max(maxReloads, epochs.size - 1);
          return list;
        },
        socketOptions: index % 2 === 0 ? { transports: ['websocket'] } : {},
        timings: { longestReconnectMs: 2_000, longestReloadMs: 2_000 },
      });
      watch(dashboard, companyId, index);
      return { dashboard, companyId, token, label: `screen ${index}` };
    }),
  );

  function watch(dashboard: Dashboard, companyId: string, index: number): void {
    const label = `screen ${index}`;
    const screen = createScreenCheck(label);
    function note(appointment: AppointmentSnapshot, origin: string): void {
      const { _id: appointmentId, companyId: owner } = appointment;
      const line = { companyId, owner, appointmentId, version: versionOf(appointment), origin };
      violations.push(...screen.check(line).map(({ what }) => what));
      history?.shown({ screen: index, companyId, appointment, origin });
    }
    for (const event of SNAPSHOT_EVENTS) {
      dashboard.on(event, ({ appointment }, meta) => {
        shown += 1;
        shownBySource[sourceOf(meta.emissionId)] += 1;
        if (meta.replayed) replayed += 1;
        onShown?.(index, meta);
        note(appointment, `${meta.replayed ? 'replay' : 'event'}-${meta.emissionId}`);
      });
    }
    dashboard.on('appointments', (rows) => {
      for (const { appointment } of rows.values()) note(appointment, 'list');
    });
    dashboard.on('state', (state, reason) => {
      if (state !== 'reload-needed') return;
      reloads[reason ?? 'first'] = (reloads[reason ?? 'first'] ?? 0) + 1;
    });
  }

  async function difference(screen: (typeof open)[number], url: string): Promise<string[]> {
    const { dashboard, token, label } = screen;
    if (dashboard.state !== 'live') return [`${label} is ${dashboard.state}`];
    const { appointments } = await loadList(url, token);
    const listed = new Map(appointments.map(({ appointment }) => [appointment._id, appointment]));
    const ids = new Set([...listed.keys(), ...dashboard.appointments.keys()]);
    return [...ids].flatMap((id) => {
      const [actual, expected] = [dashboard.appointments.get(id)?.appointment, listed.get(id)];
      if (JSON.stringify(actual) === JSON.stringify(expected)) return [];
      return [
        `${label} shows ${actual?.notes ?? 'nothing'} for ${id}, the list has ${expected?.notes ?? 'nothing'}`,
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
    shownBySource,
    reloads,
    get maxReloads() {
      return maxReloads;
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
