import { POSITION_EVENT } from '@appointment-emissions/contracts';
import type { CompanyTurns } from '../access/company-turns.ts';
import { chunks, coalesce } from '../batching.ts';
import type { ViewerScope } from '../domain/scope.ts';
import type { Replay, ReplayedEvent } from './catch-up.ts';
import type { DashboardServer, DashboardSocket } from './dashboard-server.ts';
import { writeTogether } from './internals/write-frames.ts';
import { renderFor, toScopedEmission } from './scopes/scoped-emission.ts';
import type { ScopedSockets } from './scopes/scoped-sockets.ts';

/** Resolves when the missed emissions, and after them the position, were sent to a dashboard. */
export type SendReplay = (replay: Replay, socket: DashboardSocket) => Promise<void>;

const MAX_TOGETHER = 10_000;
/** Writes to sockets in one piece: they take a few milliseconds. */
const WRITES_PER_PIECE = 500;

interface ReplayRequest {
  replay: Replay;
  socket: DashboardSocket;
}

/** One replay for the sockets that get it in the same form. */
interface Delivery {
  replay: Replay;
  scope: ViewerScope | undefined;
  sockets: DashboardSocket[];
}

/**
 * Dashboards that get the same replay in the same turn of the event loop share its encoding if their scopes are equal, and each
 * gets all of it in one write. After a restart of a gateway all dashboards of a company have the same position. A replay for many
 * dashboards is written in pieces, in turn with those of other companies. The scope counts that a socket has when its piece is
 * written, since a renewed token may have changed it since the request.
 */
export function createSendReplay(
  io: DashboardServer,
  scopedSockets: ScopedSockets,
  turns: Pick<CompanyTurns, 'piece'>,
): SendReplay {
  function send({ replay, scope, sockets }: Delivery): void {
    const recipients = io.local.to(sockets.map(({ id }) => id));
    writeTogether(sockets, () => {
      for (const { event, payload, meta } of eventsFor(replay, scope)) recipients.emit(event, payload, meta);
      recipients.emit(POSITION_EVENT, replay.position);
    });
    const { epoch, offset } = replay.position;
    for (const socket of sockets) {
      socket.data.emissions.caughtUpTo = { epoch, offset };
      scopedSockets.caughtUp(socket);
    }
  }

  /** @returns for each request when its piece is written */
  function sendInPieces(requests: readonly ReplayRequest[]): Map<ReplayRequest, Promise<void>> {
    const written = new Map<ReplayRequest, Promise<void>>();
    for (const [{ events }, together] of groupByReplay(requests)) {
      const perPiece = Math.ceil(WRITES_PER_PIECE / (events.length + 1));
      for (const piece of chunks(together, perPiece)) {
        const { companyId } = (piece[0] as ReplayRequest).socket.data.emissions;
        const isWritten = turns.piece(companyId, () => {
          for (const delivery of groupByScope(piece)) send(delivery);
        });
        for (const request of piece) written.set(request, isWritten);
      }
    }
    return written;
  }

  const sendShared = coalesce<ReplayRequest, Promise<void> | undefined>({
    run(requests) {
      const written = sendInPieces(requests);
      return Promise.resolve(requests.map((request) => written.get(request)));
    },
    maxBatch: MAX_TOGETHER,
  });
  return async (replay, socket) => {
    await sendShared({ replay, socket });
  };
}

function groupByReplay(requests: readonly ReplayRequest[]): Map<Replay, ReplayRequest[]> {
  const byReplay = new Map<Replay, ReplayRequest[]>();
  for (const request of requests) {
    const together = byReplay.get(request.replay);
    if (together) together.push(request);
    else byReplay.set(request.replay, [request]);
  }
  return byReplay;
}

/** @param requests  of one replay */
function groupByScope(requests: readonly ReplayRequest[]): Delivery[] {
  const byScope = new Map<string, Delivery>();
  for (const { replay, socket } of requests) {
    const { scope } = socket.data.emissions;
    const delivery = byScope.get(scope?.id ?? '');
    if (delivery) delivery.sockets.push(socket);
    else byScope.set(scope?.id ?? '', { replay, scope, sockets: [socket] });
  }
  return [...byScope.values()];
}

/**
 * The events of a replay for a scope. It is unknown what the dashboards showed before, so that each appointment outside the
 * scope is removed.
 */
function eventsFor({ events }: Replay, scope: ViewerScope | undefined): ReplayedEvent[] {
  if (!scope) return events;
  return events.map((event) => renderFor(toScopedEmission(event), scope));
}
