import { setTimeout as pause } from 'node:timers/promises';
import {
  ALIVE_EVENT,
  companyRoom,
  type CompanyReads,
  DASHBOARD_NAMESPACE,
  type Id,
} from '@appointment-emissions/contracts';
import type { CoreConfig } from '../config.ts';
import { watchReads } from '../liveness/watch-reads.ts';
import { createReadProbe } from '../population/find-companies.ts';
import { busiestOf } from '../metrics/fleet/read-fleet.ts';
import { within } from '../process/lifecycle.ts';
import { createThrottledLog } from '../process/throttled-log.ts';
import { announcePositions, companiesOf } from '../realtime/announce-positions.ts';
import { createCatchUp } from '../realtime/catch-up.ts';
import {
  type DashboardServer,
  type DashboardSocket,
  isDashboard,
  sendInParts,
} from '../realtime/dashboard-server.ts';
import { createDisconnects, type Disconnects } from '../realtime/disconnects.ts';
import type { ServeDashboardDeps } from '../realtime/gateway.ts';
import { createLogDeliveries } from '../realtime/gateway-log.ts';
import { createObserveRenderAcks } from '../realtime/render-acks.ts';
import type { ScopedSockets } from '../realtime/scopes/scoped-sockets.ts';
import { sendHeartbeats } from '../realtime/send-heartbeats.ts';
import type { Resources } from '../resources/open-resources.ts';
import type { Snapshots } from './compose-snapshots.ts';

/*
 * What a gateway does for its dashboards, whether it has a Socket.IO server of its own (`start-gateway.ts`) or is attached to
 * the server of an existing application (`embedded/`).
 */

const ANNOUNCE_INTERVAL_MS = 10_000;
const SUBSCRIBE_WAIT_MS = 1_500;

export interface DashboardParts extends Pick<ServeDashboardDeps, 'takeCatchUp'> {
  resources: Resources<CoreConfig>;
  snapshots: Snapshots;
  scopedSockets: ScopedSockets;
}

/** Room, catch-up, log lines and the latency that browsers report. */
export function composeDashboards(
  io: DashboardServer,
  { resources, snapshots, scopedSockets, takeCatchUp }: DashboardParts,
): ServeDashboardDeps {
  const { config, clock, metrics, logger } = resources;
  const catchUpFailed = createThrottledLog(logger, 'catch-up failed');
  return {
    io,
    scopedSockets,
    catchUp: createCatchUp({
      readLog: snapshots.companyLog.after,
      head: snapshots.companyLog.head,
      takeSnapshots: snapshots.takeSnapshots,
      turns: snapshots.turns,
      replayLimit: config.MAX_REPLAYED_EMISSIONS,
    }),
    takeCatchUp,
    turns: snapshots.turns,
    catchUpsPerWindow: config.MAX_CATCH_UPS_PER_SECOND * 10,
    pause,
    onFault: (error, companyId) => {
      catchUpFailed({ companyId }, error);
    },
    onCatchUp: metrics.caughtUp,
    observers: [
      createCountConnections(metrics),
      createLogDeliveries(logger),
      createObserveRenderAcks({
        now: clock.now,
        onSeen: (ms) => {
          metrics.observe('browser', ms);
        },
        onDelivered: (ms) => {
          metrics.observe('deliver', ms);
        },
      }),
    ],
  };
}

function createCountConnections({
  dashboardConnected,
  dashboardDisconnected,
}: Resources['metrics']): (socket: DashboardSocket) => void {
  return (socket) => {
    dashboardConnected();
    socket.once('disconnect', (reason) => {
      dashboardDisconnected(socket.data.emissions.disconnectedBy ?? reason);
    });
  };
}

/**
 * Sends the heads of the company logs, and heartbeats that say whether MongoDB can be read. Resolves when this gateway has
 * subscribed to Redis, or after 1.5 s.
 */
export async function sendPositions(
  io: DashboardServer,
  { resources, snapshots, scopedSockets }: Omit<DashboardParts, 'takeCatchUp'>,
): Promise<void> {
  const { config, dedicatedRedis: subscriber, models, lifecycle, logger, warnings } = resources;
  const notAnnounced = createThrottledLog(logger, 'positions not announced');
  const reads = watchReads({ probe: createReadProbe(models) });
  lifecycle.onClose('reads', reads.close);
  const announcer = announcePositions({
    io,
    head: snapshots.companyLog.head,
    subscriber,
    adapterKey: config.SOCKET_ADAPTER_KEY,
    turns: snapshots.turns,
    intervalMs: ANNOUNCE_INTERVAL_MS,
    pause,
    onFault: (error) => {
      notAnnounced({}, error);
    },
    beforePosition: scopedSockets.settle,
  });
  lifecycle.onClose('announcer', announcer.close);
  const { isSubscribed, subscribed } = announcer;
  const heartbeats = sendHeartbeats({
    send: (heartbeat) => {
      void sendInParts(io, socketsWithPositions(io), (part) => part.emit(ALIVE_EVENT, heartbeat));
    },
    subscriber,
    isSubscribed,
    readsWork: reads.work,
  });
  lifecycle.onClose('heartbeats', heartbeats.close);
  warnings.add(() => [
    heartbeats.receivesFromRedis()
      ? undefined
      : 'this gateway does not receive what is published: its subscription to Redis does not answer',
  ]);
  // A dashboard that connects must receive whatever is published from then on.
  await within(SUBSCRIBE_WAIT_MS, 'the subscription', subscribed).catch(() => undefined);
}

function socketsWithPositions(io: DashboardServer): DashboardSocket[] {
  return [...io.of(DASHBOARD_NAMESPACE).sockets.values()].filter(
    (socket) => isDashboard(socket) && socket.data.emissions.wantsPositions,
  );
}

/**
 * Disconnects of users and companies on all gateways.
 * @param getIo  this process' Socket.IO server, once it has one
 */
export function composeDisconnects(
  { redis, dedicatedRedis, config, reportDamage, lifecycle, logger }: Resources<CoreConfig>,
  getIo: () => DashboardServer | undefined,
): Disconnects {
  const notReceived = createThrottledLog(logger, 'disconnect requests not received');
  const disconnects = createDisconnects({
    redis,
    subscriber: dedicatedRedis,
    adapterKey: config.SOCKET_ADAPTER_KEY,
    getIo,
    reportDamage,
    onFault: (error) => {
      notReceived({}, error);
    },
  });
  lifecycle.onClose('disconnects', disconnects.close);
  return disconnects;
}

/** Reports this gateway to the fleet. @param idleMs  since it received its last canary, if it sends any */
export function beatGateway(
  io: DashboardServer,
  { id, metrics, warnings }: Resources<CoreConfig>,
  { turns }: Pick<Snapshots, 'turns'>,
  idleMs: () => number | undefined,
): void {
  metrics.beat(() => {
    const idle = idleMs();
    return {
      role: 'gateway',
      id,
      sockets: io.of('/').sockets.size,
      companies: companiesOf(io),
      busiest: busiestOf(readsByCompany(io, turns.delayedReads())),
      ...(idle !== undefined && { idleMs: idle }),
      warnings: warnings.read(),
    };
  });
}

function readsByCompany(io: DashboardServer, delayedReads: ReadonlyMap<Id, number>): CompanyReads[] {
  const { rooms } = io.of(DASHBOARD_NAMESPACE).adapter;
  // A company whose dashboards have all left may still request lists.
  return [...new Set([...companiesOf(io), ...delayedReads.keys()])].map((companyId) => ({
    companyId,
    sockets: rooms.get(companyRoom(companyId))?.size ?? 0,
    delayedReads: delayedReads.get(companyId) ?? 0,
  }));
}
