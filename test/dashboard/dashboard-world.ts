import type { AppointmentList } from '@appointment-emissions/contracts';
import { connectDashboard, type Dashboard, type DashboardOptions } from '@appointment-emissions/dashboard';
import { eventually } from '../harness/until.ts';
import { appointment } from './appointment-fixture.ts';
import { startScriptedServer } from './scripted-server.ts';

const FAST = {
  reconnectMs: 20,
  longestReconnectMs: 50,
  catchUpMs: 20,
  longestCatchUpMs: 50,
  reloadMs: 20,
  longestReloadMs: 50,
};

/** A list of appointments with the notes `texts`, by id. Each has the offset of the list. */
export function listAt(epoch: string, offset: number, texts: Record<string, string> = {}): AppointmentList {
  const appointments = Object.entries(texts).map(([id, notes]) => ({
    appointment: appointment({ _id: id, notes }),
    offset,
    read: 1,
  }));
  return { epoch, offset, appointments };
}

/** A scripted server and the dashboards connected to it. It records the events that each dashboard emits. */
export async function openWorld() {
  const server = await startScriptedServer();
  const dashboards: Dashboard[] = [];

  return {
    server,
    connect({ timings, ...options }: Partial<DashboardOptions> = {}) {
      const dashboard = connectDashboard({
        url: server.url,
        getToken: () => Promise.resolve('a-token'),
        timings: { ...FAST, ...timings },
        // If a polling client stops polling, the server keeps a timer for 30 s after closing it.
        socketOptions: { transports: ['websocket'] },
        ...options,
      });
      dashboards.push(dashboard);
      const emitted: string[] = [];
      const problems: string[] = [];
      for (const event of ['appointment:created', 'appointment:updated', 'appointment:canceled'] as const) {
        dashboard.on(event, ({ appointment: { _id, notes } }) => emitted.push(`${_id} ${notes}`));
      }
      dashboard.on('problem', (problem) => problems.push(String(problem)));
      return {
        dashboard,
        emitted,
        problems,
        /** The notes on the screen, by id. */
        shown: () =>
          Object.fromEntries([...dashboard.appointments].map(([id, row]) => [id, row.appointment.notes])),
        becomes: (state: Dashboard['state']) =>
          eventually(`the state ${state}`, () => dashboard.state === state),
        emits: (...expected: string[]) =>
          eventually(`the events ${expected.join()}`, () => emitted.join() === expected.join()),
      };
    },
    async close(): Promise<void> {
      for (const dashboard of dashboards) dashboard.close();
      await server.close();
    },
  };
}

export type DashboardWorld = Awaited<ReturnType<typeof openWorld>>;
