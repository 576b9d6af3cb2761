import type { IncomingMessage } from 'node:http';
import {
  CATCH_UP_EVENT,
  companyRoom,
  type Id,
  type PositionUpdate,
  SEEN_EVENT,
} from '@appointment-emissions/contracts';
import type { CatchUp, CatchUpFrom } from './catch-up.ts';
import type { DashboardServer } from './create-io.ts';
import { dashboardAuth, INVALID_POSITION, parsePosition, seenReport, splitArguments } from './handshake.ts';
import { refusal } from './refusal.ts';
import { createSendReplay, type DashboardSocket } from './send-replay.ts';
import type { Viewer } from '../access/verify-token.ts';
import { createWindow } from './window.ts';

export interface GatewayDeps {
  io: DashboardServer;
  verifyToken: (token: unknown, request: IncomingMessage) => Promise<Viewer>;
  catchUp: CatchUp;
  /** That one dashboard may ask for in 10 s. */
  catchUpsPerWindow: number;
  /** Counts a catch-up in the share of its viewer, whatever the number of sockets. @returns whether it is allowed */
  takeCatchUp: (viewer: Pick<Viewer, 'share'>) => boolean;
  /** Milliseconds since 1970, by the clock that tokens are checked with. */
  now: () => number;
  /** Waits before a catch-up that failed is tried again. */
  pause: (ms: number) => Promise<void>;
  onFault: (error: unknown, companyId: Id) => void;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Whoever asked hears `unavailable` then, and asks again; a connection's first catch-up is tried until it ends. */
const TRIES_PER_CATCH_UP = 3;
const WINDOW_MS = 10_000;
const SEEN_SHAPE = 'send {emissionId, acceptedAt} as the meta of an appointment event had them';

/**
 * Holds the dashboards' sockets. A socket joins one room, that of the company in its signed token; then what it missed
 * is replayed; then it is told where it stands. In this order, so that nothing falls between replay and live.
 */
export function attachGateway(deps: GatewayDeps): void {
  const { io, verifyToken, catchUp, catchUpsPerWindow, takeCatchUp, now, pause, onFault } = deps;
  const sendReplay = createSendReplay(io);
  io.use((socket, next) => {
    const auth = dashboardAuth.safeParse(socket.handshake.auth);
    verifyToken(auth.data?.token, socket.request).then(
      ({ companyId, expiresAt, share }) => {
        socket.data.companyId = companyId;
        socket.data.share = share;
        socket.data.expiresAt = expiresAt;
        next();
      },
      (error: unknown) => {
        next(refusal(error));
      },
    );
  });

  io.on('connection', (socket) => {
    const { companyId } = socket.data;
    disconnectAtExpiry(socket, now);
    void socket.join(companyRoom(companyId));

    const bringUpToDate = async (
      from: CatchUpFrom,
      mostTries: number,
    ): Promise<PositionUpdate | undefined> => {
      for (let tries = 1; socket.connected; tries += 1) {
        try {
          const replay = await catchUp(companyId, from);
          await sendReplay(replay, socket);
          return replay.position;
        } catch (error) {
          onFault(error, companyId);
          if (tries >= mostTries) return undefined;
          await pause(Math.min(125 * 2 ** tries, 2_000) * (0.5 + Math.random()));
        }
      }
      return undefined;
    };

    void bringUpToDate(parsePosition(socket.handshake.auth['position']), Infinity);

    const isWithin = createWindow(catchUpsPerWindow, WINDOW_MS);
    const allowed = (): boolean => isWithin() && takeCatchUp(socket.data);
    socket.on(CATCH_UP_EVENT, (...args: unknown[]) => {
      const { given, acknowledge } = splitArguments(args);
      if (!acknowledge) return;
      const answer: (position: PositionUpdate) => void = acknowledge;
      const from = (given.length === 1 && parsePosition(given[0])) || INVALID_POSITION;
      const place = from === INVALID_POSITION ? { epoch: '', offset: 0 } : from;
      if (!allowed()) {
        answer({ ...place, recovered: false, reason: 'rate-limited' });
        return;
      }
      void bringUpToDate(from, TRIES_PER_CATCH_UP).then((position) => {
        answer(position ?? { ...place, recovered: false, reason: 'unavailable' });
      });
    });

    // A report needs no answer. A client that asks for one gets one.
    socket.on(SEEN_EVENT, (...args: unknown[]) => {
      const { given, acknowledge } = splitArguments(args);
      const isReport = given.length === 1 && seenReport.safeParse(given[0]).success;
      acknowledge?.(isReport ? { ok: true } : { ok: false, code: 'INVALID_REQUEST', message: SEEN_SHAPE });
    });
  });
}

function disconnectAtExpiry(socket: DashboardSocket, now: () => number): void {
  const arm = (): NodeJS.Timeout =>
    setTimeout(
      () => {
        if (socket.data.expiresAt <= now()) socket.disconnect(true);
        else timer = arm();
      },
      Math.min(Math.max(socket.data.expiresAt - now(), 0), LONGEST_TIMER_MS),
    );
  let timer = arm();
  socket.once('disconnect', () => {
    clearTimeout(timer);
  });
}
