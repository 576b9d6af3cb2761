import { POSITION_EVENT } from '@appointment-emissions/contracts';
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

/** One replay for the sockets that get it in the same form. */
interface Delivery {
  replay: Replay;
  scope: ViewerScope | undefined;
  sockets: DashboardSocket[];
}

/**
 * Dashboards that get the same replay in the same turn of the event loop share its encoding if their scopes are equal, and each
 * gets all of it in one write. After a restart of a gateway all dashboards of a company have the same position. The scope
 * counts that a socket has when the replay is written, since a renewed token may have changed it since the request.
 */
export function createSendReplay(io: DashboardServer, scopedSockets: ScopedSockets): SendReplay {
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

  const sendShared = coalesce<{ replay: Replay; socket: DashboardSocket }, undefined>({
    run(requests) {
      for (const delivery of groupByForm(requests)) send(delivery);
      return Promise.resolve([]);
    },
    maxBatch: MAX_TOGETHER,
  });
  return async (replay, socket) => {
    await sendShared({ replay, socket });
  };
}

function groupByForm(requests: readonly { replay: Replay; socket: DashboardSocket }[]): Delivery[] {
  const byReplay = new Map<Replay, Map<string, Delivery>>();
  for (const { replay, socket } of requests) {
    const { scope } = socket.data.emissions;
    const byScope = byReplay.get(replay) ?? new Map<string, Delivery>();
    byReplay.set(replay, byScope);
    const delivery = byScope.get(scope?.id ?? '');
    if (delivery) delivery.sockets.push(socket);
    else byScope.set(scope?.id ?? '', { replay, scope, sockets: [socket] });
  }
  return [...byReplay.values()].flatMap((byScope) => [...byScope.values()]);
}

/**
 * The events of a replay for a scope. It is unknown what the dashboards showed before, so that each appointment outside the
 * scope is removed.
 */
function eventsFor({ events }: Replay, scope: ViewerScope | undefined): ReplayedEvent[] {
  if (!scope) return events;
  return events.map((event) => renderFor(toScopedEmission(event), scope));
}
