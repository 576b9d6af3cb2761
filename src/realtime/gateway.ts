import type { IncomingMessage } from 'node:http';
import { CATCH_UP_EVENT, companyRoom, type Id, type PositionUpdate } from '@appointment-emissions/contracts';
import type { CompanyTurns } from '../access/company-turns.ts';
import type { Viewer } from '../access/verify-token.ts';
import type { CatchUpResult } from '../domain/dashboard-outcomes.ts';
import type { CatchUp, CatchUpFrom, Replay } from './catch-up.ts';
import type { DashboardServer, DashboardSocket } from './dashboard-server.ts';
import {
  dashboardAuth,
  INVALID_POSITION,
  parsePosition,
  refusal,
  SCOPE_CHANGED,
  splitArguments,
} from './handshake.ts';
import { createWindowLimit } from './limits.ts';
import { renewTokens } from './renew-tokens.ts';
import type { ScopedSockets } from './scopes/scoped-sockets.ts';
import { createSendReplay, type SendReplay } from './send-replay.ts';

export interface ServeDashboardDeps {
  io: DashboardServer;
  scopedSockets: ScopedSockets;
  catchUp: CatchUp;
  turns: Pick<CompanyTurns, 'piece'>;
  /** Catch-ups that one socket may request in 10 s. */
  catchUpsPerWindow: number;
  /** Counts a catch-up in the share of its viewer, over all sockets of that viewer. @returns whether it is allowed */
  takeCatchUp: (viewer: Pick<Viewer, 'share'>) => boolean;
  /** Waits before a failed catch-up is tried again. */
  pause: (ms: number) => Promise<void>;
  onFault: (error: unknown, companyId: Id) => void;
  /** Called when a catch-up has ended. */
  onCatchUp: (result: CatchUpResult) => void;
  /** Called with the socket of each dashboard. */
  observers?: readonly ((socket: DashboardSocket) => void)[];
}

export interface GatewayDeps extends ServeDashboardDeps {
  verifyToken: (token: unknown, request: IncomingMessage) => Promise<Viewer>;
  /** Milliseconds since 1970, by the clock that tokens are checked with. */
  now: () => number;
}

/** Brings a socket up to date. @returns its new position; undefined if all tries failed or the socket disconnected */
type BringUpToDate = (from: CatchUpFrom, maxTries: number) => Promise<PositionUpdate | undefined>;

const WINDOW_MS = 10_000;
/** Then a requested catch-up is answered `unavailable`, and the dashboard may request another one. */
const TRIES_PER_CATCH_UP = 3;
const RETRY_DELAY_MS = { first: 250, max: 2_000 };
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Serves the connections of dashboards. The life of one connection, in the order of this file:
 *
 * 1. Handshake: the token is verified. It names the company, the scope, and the time at which it expires. Handshakes of companies
 *    that connect at the same time take turns.
 * 2. Room: the socket joins the room of that company, and no other one that a message can name. From now on it receives live
 *    emissions: those of its scope, if it has one.
 * 3. Catch-up: missed emissions are replayed, then the position is sent. Since the room came first, no emission falls
 *    between replay and live emissions.
 * 4. Live: the adapter writes each emission to the room. The dashboard may request further catch-ups.
 * 5. Renewal: a new token sets a new expiry, and perhaps another scope. Then the dashboard is sent a position with which it
 *    reloads its list.
 * 6. Token expiry: the socket is disconnected.
 * 7. Disconnect: the expiry timer is cleared, and a catch-up that is being retried ends.
 */
export function attachGateway(deps: GatewayDeps): void {
  const { io, now, turns, verifyToken } = deps;
  const serve = createServeDashboard(deps);

  io.use((socket, next) => {
    const auth = dashboardAuth.safeParse(socket.handshake.auth);
    verifyToken(auth.data?.token, socket.request).then(
      (viewer) => {
        socket.data.emissions = { ...viewer, wantsPositions: true };
        void turns.piece('handshake', viewer.companyId, next);
      },
      (error: unknown) => {
        next(refusal(error));
      },
    );
  });

  io.on('connection', (socket) => {
    const { bringUpToDate } = serve(socket);
    const expiry = disconnectAtExpiry(socket, now);
    renewTokens(socket, {
      verifyToken,
      onRenewed({ scope, ...viewer }) {
        const formerScope = socket.data.emissions.scope;
        Object.assign(socket.data.emissions, viewer);
        expiry.reschedule();
        if (scope?.id === formerScope?.id) return;
        deps.scopedSockets.setScope(socket, scope);
        void bringUpToDate(SCOPE_CHANGED, Infinity);
      },
    });
  });
}

/** Steps 2 to 4, and 7: for a socket whose company and scope are known, as `socket.data.emissions` has them. */
export function createServeDashboard(
  deps: ServeDashboardDeps,
): (socket: DashboardSocket) => { bringUpToDate: BringUpToDate } {
  const { io, scopedSockets } = deps;
  const sendReplay = createSendReplay(io, scopedSockets, deps.turns);
  return (socket) => {
    const { companyId, scope, wantsPositions } = socket.data.emissions;
    scopedSockets.setScope(socket, scope);
    void socket.join(companyRoom(companyId));
    const bringUpToDate = createBringUpToDate(deps, socket, sendReplay);
    // Until it succeeds: without a position the dashboard cannot show live emissions.
    if (wantsPositions) void bringUpToDate(parsePosition(socket.handshake.auth['position']), Infinity);
    answerCatchUps(deps, socket, bringUpToDate);
    for (const observe of deps.observers ?? []) observe(socket);
    return { bringUpToDate };
  };
}

function createBringUpToDate(
  { catchUp, pause, onFault, onCatchUp }: ServeDashboardDeps,
  socket: DashboardSocket,
  sendReplay: SendReplay,
): BringUpToDate {
  const { companyId } = socket.data.emissions;
  return async (from, maxTries) => {
    for (let tries = 1; socket.connected; tries += 1) {
      try {
        const replay = await catchUp(companyId, from);
        await sendReplay(replay, socket);
        onCatchUp(resultOf(from, replay));
        return replay.position;
      } catch (error) {
        onFault(error, companyId);
        if (tries >= maxTries) return undefined;
        const delayMs = Math.min(RETRY_DELAY_MS.first * 2 ** (tries - 1), RETRY_DELAY_MS.max);
        await pause(delayMs * (0.5 + Math.random()));
      }
    }
    return undefined;
  };
}

function resultOf(from: CatchUpFrom, { events, position }: Replay): CatchUpResult {
  if (!position.recovered) return position.reason ?? 'invalid';
  if (from === undefined) return 'first';
  return events.length > 0 ? 'replayed' : 'current';
}

/** A request without an acknowledgement function is ignored: its answer could not be sent. */
function answerCatchUps(
  { catchUpsPerWindow, takeCatchUp, onCatchUp }: ServeDashboardDeps,
  socket: DashboardSocket,
  bringUpToDate: BringUpToDate,
): void {
  const isWithin = createWindowLimit(catchUpsPerWindow, WINDOW_MS);
  const allowed = (): boolean => isWithin() && takeCatchUp(socket.data.emissions);

  socket.on(CATCH_UP_EVENT, (...args: unknown[]) => {
    const { given, acknowledge } = splitArguments(args);
    if (!acknowledge) return;
    socket.data.emissions.wantsPositions = true;
    const answer: (position: PositionUpdate) => void = acknowledge;
    const from = (given.length === 1 && parsePosition(given[0])) || INVALID_POSITION;
    const unchanged = from === INVALID_POSITION ? { epoch: '', offset: 0 } : from;
    const refuse = (reason: 'rate-limited' | 'unavailable'): void => {
      onCatchUp(reason);
      answer({ ...unchanged, recovered: false, reason });
    };
    if (!allowed()) {
      refuse('rate-limited');
      return;
    }
    void bringUpToDate(from, TRIES_PER_CATCH_UP).then((position) => {
      if (position) answer(position);
      else if (socket.connected) refuse('unavailable');
    });
  });
}

/** The clock may be corrected, and a timer has a maximum, so the time is compared again when the timer ends. */
function disconnectAtExpiry(socket: DashboardSocket, now: () => number): { reschedule: () => void } {
  const { emissions } = socket.data;
  const remainingMs = (): number => (emissions.expiresAt ?? 0) - now();
  const schedule = (): NodeJS.Timeout =>
    setTimeout(
      () => {
        if (remainingMs() > 0) {
          timer = schedule();
          return;
        }
        emissions.disconnectedBy = 'token expired';
        socket.disconnect(true);
      },
      Math.min(Math.max(remainingMs(), 0), MAX_TIMER_MS),
    );
  let timer = schedule();
  socket.once('disconnect', () => {
    clearTimeout(timer);
  });
  return {
    reschedule() {
      clearTimeout(timer);
      timer = schedule();
    },
  };
}
