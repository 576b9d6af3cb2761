import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { clientAddress } from '../access/client-address.ts';
import type { ApiConfig } from '../config.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { CutReason } from '../domain/cut-reasons.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import type { CompanyLog } from '../emission/company-log.ts';
import type { TakeSnapshots } from '../emission/take-snapshots.ts';
import { type Lifecycle, within } from '../process/lifecycle.ts';
import type { Logger } from '../process/logger.ts';
import type { FleetMetrics } from '../metrics/fleet-metrics.ts';
import type { SharedClock } from '../redis/shared-clock.ts';
import { announcePositions, companiesOf } from '../realtime/announce-positions.ts';
import { createCatchUp } from '../realtime/catch-up.ts';
import { createIo, type DashboardServer } from '../realtime/create-io.ts';
import { attachGateway, type GatewayDeps } from '../realtime/gateway.ts';
import { observeRenderAcks } from '../realtime/render-acks.ts';
import { attachInternalNamespace, type InternalNamespaceDeps } from '../realtime/internal-namespace.ts';
import { limitSockets } from '../realtime/limit-sockets.ts';
import { logDeliveries } from '../realtime/log-deliveries.ts';
import { sendHeartbeats } from '../realtime/send-heartbeats.ts';
import { writeFramesAtOnce } from '../realtime/write-frames.ts';
import { createThrottledLog } from '../process/throttled-log.ts';

const ANNOUNCE_INTERVAL_MS = 10_000;
const SUBSCRIBE_WAIT_MS = 1_500;

export interface GatewayParts {
  /** Of this process. */
  id: string;
  server: Server;
  redis: RedisClient;
  subscriber: RedisClient;
  companyLog: CompanyLog;
  takeSnapshots: TakeSnapshots;
  verifyToken: GatewayDeps['verifyToken'];
  takeCatchUp: GatewayDeps['takeCatchUp'];
  verifyKey: InternalNamespaceDeps['verifyKey'];
  emit: InternalNamespaceDeps['emit'];
  onCut: (reason: CutReason, address: string) => void;
  metrics: FleetMetrics;
  /** Whether MongoDB can be read; answers at once. */
  readsWork: () => boolean;
  /** For the fleet's heartbeat: since when nothing got done, where that is known, and what is wrong. */
  progress: () => { idleMs?: number; warnings: string[] };
  clock: SharedClock;
  reportDamage: ReportDamage;
  config: ApiConfig;
  lifecycle: Lifecycle;
  logger: Logger;
}

export interface Gateway {
  io: DashboardServer;
  /** Whether it receives what is published. */
  hearsRedis: () => boolean;
}

/** Composition root of the gateway, on the API's server. Resolves when it hears what is published, or after 1.5 s. */
export async function startGateway(parts: GatewayParts): Promise<Gateway> {
  const { id, server, redis, subscriber, companyLog, takeSnapshots, config, lifecycle, logger } = parts;
  const adapterKey = config.SOCKET_ADAPTER_KEY;

  const catchUpFailed = createThrottledLog(logger, 'catch-up failed');
  const notAnnounced = createThrottledLog(logger, 'positions not announced');

  const io = createIo({
    httpServer: server,
    publisher: redis,
    subscriber,
    adapterKey,
    transports: config.SOCKET_TRANSPORTS,
    corsOrigins: config.CORS_ORIGIN,
    largestMessageBytes: config.SOCKET_MESSAGE_MAX_BYTES,
    reportDamage: parts.reportDamage,
  });
  writeFramesAtOnce(io);
  attachGateway({
    io,
    verifyToken: parts.verifyToken,
    catchUp: createCatchUp({
      readLog: companyLog.after,
      head: companyLog.head,
      takeSnapshots,
      replayLimit: config.REPLAY_MAX,
    }),
    takeCatchUp: parts.takeCatchUp,
    now: parts.clock.now,
    catchUpsPerWindow: config.CATCH_UPS_PER_SOCKET * 10,
    pause,
    onFault: (error, companyId) => {
      catchUpFailed({ companyId }, error);
    },
  });
  const limits = limitSockets({
    io,
    addressOf: (request) => clientAddress(request, config.TRUST_PROXY),
    perAddress: config.MAX_SOCKETS_PER_ADDRESS,
    perCompany: config.MAX_SOCKETS_PER_COMPANY,
    messagesPerSecond: config.SOCKET_MESSAGES_PER_SECOND,
    mostBufferedBytes: config.SOCKET_MAX_BUFFERED_BYTES,
    onCut: parts.onCut,
  });
  lifecycle.onClose('socket limits', limits.close);
  logDeliveries(io, logger);
  observeRenderAcks({
    io,
    now: parts.clock.now,
    onSeen: (ms) => {
      parts.metrics.observe('browser', ms);
    },
  });
  attachInternalNamespace({ io, verifyKey: parts.verifyKey, emit: parts.emit });
  const announcer = announcePositions({
    io,
    head: companyLog.head,
    subscriber,
    adapterKey,
    intervalMs: ANNOUNCE_INTERVAL_MS,
    pause,
    onFault: (error) => {
      notAnnounced({}, error);
    },
  });
  lifecycle.onClose('announcer', announcer.close);
  const heartbeats = sendHeartbeats({
    io,
    subscriber,
    isSubscribed: announcer.isSubscribed,
    readsWork: parts.readsWork,
  });
  lifecycle.onClose('heartbeats', heartbeats.close);
  parts.metrics.beat(() => ({
    role: 'gateway',
    id,
    sockets: io.of('/').sockets.size,
    companies: companiesOf(io),
    ...parts.progress(),
  }));

  // Who connects must hear what is published next. Without Redis the API serves all the same, and answers 503.
  await within(SUBSCRIBE_WAIT_MS, 'the subscription', announcer.subscribed).catch(() => undefined);
  return { io, hearsRedis: heartbeats.hearsRedis };
}
