import type { AppointmentSnapshot, Scope } from '@appointment-emissions/contracts';
import { connectDashboard, type Dashboard, fetchAppointments } from '@appointment-emissions/dashboard';
import { eventually } from '../../harness/until.ts';
import { startTcpProxy, type TcpProxy } from '../../harness/tcp-proxy.ts';
import { problemOf, type ScopedScreenOptions } from './scoped-screen.ts';

const RANGE = { from: new Date(Date.now() - 7 * 86_400_000), to: new Date(Date.now() + 7 * 86_400_000) };
const TIMINGS = {
  reconnectMs: 20,
  longestReconnectMs: 100,
  catchUpMs: 20,
  reloadMs: 20,
  longestReloadMs: 200,
};

/**
 * The library's dashboard. Its connection goes through a proxy, which cuts it. It notes each violation: a row outside the scope of its
 * token, a field that must be hidden, an older state after a newer one.
 */
export class LibraryScreen {
  readonly violations: string[] = [];
  /** The scope of the next token. Until the library requests it, the screen has that of the last one. */
  scope: Scope | undefined;
  /** How often it was not live after it had been live, except while MongoDB was too slow. */
  catchUps = 0;
  private readonly dashboard: Dashboard;
  /** Scopes of the tokens that can be in use: the last one, and until the screen was emptied or is live with it, those before. */
  private scopesInUse: (Scope | undefined)[] = [];
  private readonly proxy: TcpProxy;
  /** The number of the last state that was shown, by appointment. */
  private readonly shown = new Map<string, number>();

  static async open(options: ScopedScreenOptions): Promise<LibraryScreen> {
    return new LibraryScreen(options, await startTcpProxy(Number(new URL(options.url).port)));
  }

  private constructor({ url, tokenOf, scope }: ScopedScreenOptions, proxy: TcpProxy) {
    this.scope = scope;
    this.proxy = proxy;
    this.dashboard = connectDashboard({
      url: `http://127.0.0.1:${proxy.port}`,
      getToken: async () => {
        const { scope } = this;
        this.scopesInUse.push(scope);
        return tokenOf(scope);
      },
      loadSnapshot: (token) => fetchAppointments({ url, token, ...RANGE }),
      socketOptions: { transports: ['websocket'] },
      timings: TIMINGS,
    });
    const { dashboard } = this;
    for (const event of ['appointment:created', 'appointment:updated', 'appointment:canceled'] as const) {
      dashboard.on(event, ({ appointment }) => {
        this.check();
        const state = Number(appointment.source);
        if (state < (this.shown.get(appointment._id) ?? 0)) {
          this.violations.push(`${appointment._id} went back`);
        }
        this.shown.set(appointment._id, state);
      });
    }
    dashboard.on('appointments', () => {
      this.check();
    });
    let wasLive = false;
    dashboard.on('state', (state, reason) => {
      if (state === 'catching-up' && wasLive) this.catchUps += 1;
      if (state === 'live' || reason === 'scope') this.scopesInUse = this.scopesInUse.slice(-1);
      this.check();
      wasLive ||= state === 'live';
    });
  }

  get rows(): AppointmentSnapshot[] {
    return [...this.dashboard.appointments.values()].map(({ appointment }) => appointment);
  }

  get position() {
    return this.dashboard.position;
  }

  /** Allows connections. Resolves when the screen is live. */
  async connect(): Promise<void> {
    this.proxy.mend();
    await eventually('a dashboard of the library to be live', () => this.dashboard.state === 'live', 30_000);
  }

  /** Cuts the connection until `connect`. */
  cut(): void {
    this.proxy.refuse();
  }

  reload(): Promise<void> {
    return this.dashboard.reload().catch(() => undefined);
  }

  /** Changes the scope from the next token on, which the library requests before the present one expires. */
  renew(scope: Scope | undefined): Promise<void> {
    this.scope = scope;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.dashboard.close();
    await this.proxy.close();
  }

  private check(): void {
    for (const row of this.rows) {
      const problems = this.scopesInUse.map((scope) => problemOf(row, scope));
      if (!problems.includes(undefined)) this.violations.push(problems.join(' and '));
    }
  }
}
