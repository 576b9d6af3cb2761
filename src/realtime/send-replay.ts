import { POSITION_EVENT } from '@appointment-emissions/contracts';
import type { CompanyTurns } from '../access/company-turns.ts';
import { coalesce } from '../batching.ts';
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

/**
 * Replays for the sockets of one scope, from one read of the log, longest first. The sockets were disconnected at different times:
 * the events of each are the end of the longest replay.
 */
interface Delivery {
  scope: ViewerScope | undefined;
  requests: ReplayRequest[];
}

/**
 * Dashboards that get replays of the same read of the log in the same turn of the event loop share the encoding of each event if
 * their scopes are equal, and each gets its whole replay in one write. Replays for many dashboards are written in pieces, in turn
 * with those of other companies. The scope counts that a socket has when its piece is written, since a renewed token may have
 * changed it since the request.
 */
export function createSendReplay(
  io: DashboardServer,
  scopedSockets: ScopedSockets,
  turns: Pick<CompanyTurns, 'piece'>,
): SendReplay {
  function send({ scope, requests }: Delivery): void {
    const sockets = requests.map(({ socket }) => socket);
    writeTogether(sockets, () => {
      emitEvents(io, scope, requests);
      emitPositions(io, requests);
    });
    for (const { replay, socket } of requests) {
      const { epoch, offset } = replay.position;
      socket.data.emissions.caughtUpTo = { epoch, offset };
      scopedSockets.caughtUp(socket);
    }
  }

  /** @returns for each request when its piece is written */
  function sendInPieces(requests: readonly ReplayRequest[]): Map<ReplayRequest, Promise<void>> {
    const written = new Map<ReplayRequest, Promise<void>>();
    for (const ofRead of groupByRead(requests)) {
      for (const piece of toPieces(ofRead)) {
        const { companyId } = (piece[0] as ReplayRequest).socket.data.emissions;
        const isWritten = turns.piece('message', companyId, () => {
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

/**
 * Requests whose replays come from the same read of the log, longest replay first. Replays of one read end with the same event
 * object.
 */
function groupByRead(requests: readonly ReplayRequest[]): ReplayRequest[][] {
  const byRead = new Map<object, ReplayRequest[]>();
  for (const request of requests) {
    const { replay } = request;
    const read = replay.events.at(-1) ?? replay;
    const together = byRead.get(read);
    if (together) together.push(request);
    else byRead.set(read, [request]);
  }
  return [...byRead.values()].map((together) =>
    together.sort((a, b) => b.replay.events.length - a.replay.events.length),
  );
}

/** Divides requests into pieces of about {@link WRITES_PER_PIECE} writes, and of at least one request. */
function* toPieces(requests: readonly ReplayRequest[]): Generator<ReplayRequest[]> {
  let piece: ReplayRequest[] = [];
  let writes = 0;
  for (const request of requests) {
    const own = request.replay.events.length + 1;
    if (piece.length > 0 && writes + own > WRITES_PER_PIECE) {
      yield piece;
      [piece, writes] = [[], 0];
    }
    piece.push(request);
    writes += own;
  }
  if (piece.length > 0) yield piece;
}

/** @param requests  of one read, longest replay first */
function groupByScope(requests: readonly ReplayRequest[]): Delivery[] {
  const byScope = new Map<string, Delivery>();
  for (const request of requests) {
    const { scope } = request.socket.data.emissions;
    const delivery = byScope.get(scope?.id ?? '');
    if (delivery) delivery.requests.push(request);
    else byScope.set(scope?.id ?? '', { scope, requests: [request] });
  }
  return [...byScope.values()];
}

/** Sends each event of the longest replay to the sockets whose own replay has begun. */
function emitEvents(
  io: DashboardServer,
  scope: ViewerScope | undefined,
  requests: Delivery['requests'],
): void {
  const events = eventsFor((requests[0] as ReplayRequest).replay, scope);
  const ids: string[] = [];
  let recipients = io.local;
  for (const [index, { event, payload, meta }] of events.entries()) {
    const begun = ids.length;
    for (
      let next = requests[begun];
      next?.replay.events.length === events.length - index;
      next = requests[ids.length]
    )
      ids.push(next.socket.id);
    if (ids.length > begun) recipients = io.local.to(ids);
    recipients.emit(event, payload, meta);
  }
}

function emitPositions(io: DashboardServer, requests: Delivery['requests']): void {
  const byPosition = new Map<Replay['position'], string[]>();
  for (const { replay, socket } of requests) {
    const ids = byPosition.get(replay.position);
    if (ids) ids.push(socket.id);
    else byPosition.set(replay.position, [socket.id]);
  }
  for (const [position, ids] of byPosition) io.local.to(ids).emit(POSITION_EVENT, position);
}

/**
 * The events of a replay for a scope. It is unknown what the dashboards showed before, so that each appointment outside the
 * scope is removed.
 */
function eventsFor({ events }: Replay, scope: ViewerScope | undefined): ReplayedEvent[] {
  if (!scope) return events;
  return events.map((event) => renderFor(toScopedEmission(event), scope));
}
