import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { INTERNAL_NAMESPACE } from '@appointment-emissions/contracts';
import { clientAddress } from '../access/client-address.ts';
import type { ApiConfig } from '../config.ts';
import { countRefusals, countRefusedTokens } from '../http/middleware/count-rejections.ts';
import { logRefusedReplies } from '../http/middleware/log-refusals.ts';
import { limitEmits } from '../http/middleware/limit-rate.ts';
import { createEmitReply } from '../http/routes/emit-reply.ts';
import type { Canary } from '../liveness/canary.ts';
import { watchReads } from '../liveness/watch-reads.ts';
import { createReadProbe } from '../population/find-companies.ts';
import { within } from '../process/lifecycle.ts';
import { createThrottledLog } from '../process/throttled-log.ts';
import { announcePositions, companiesOf } from '../realtime/announce-positions.ts';
import { createCatchUp } from '../realtime/catch-up.ts';
import { createIo, type DashboardServer } from '../realtime/create-io.ts';
import { attachGateway } from '../realtime/gateway.ts';
import { attachInternalNamespace } from '../realtime/internal-namespace.ts';
import { limitSockets } from '../realtime/limit-sockets.ts';
import { logDeliveries } from '../realtime/log-deliveries.ts';
import { observeRenderAcks } from '../realtime/render-acks.ts';
import { sendHeartbeats } from '../realtime/send-heartbeats.ts';
import { writeFramesAtOnce } from '../realtime/internals/write-frames.ts';
import type { Resources } from '../resources/open-resources.ts';
import type { Acceptance } from './compose-accept.ts';
import type { Access } from './compose-access.ts';
import type { Snapshots } from './compose-snapshots.ts';

const ANNOUNCE_INTERVAL_MS = 10_000;
const SUBSCRIBE_WAIT_MS = 1_500;

export interface GatewayParts {
  server: Server;
  resources: Resources<ApiConfig>;
  acceptance: Acceptance;
  access: Access;
  snapshots: Snapshots;
  /** This gateway's canary, while it has one. */
  canary: () => Canary | undefined;
  onFault: (error: unknown, route: string | undefined) => void;
}

/**
 * Starts the gateway on the API's server. Resolves when the gateway has subscribed to Redis, or after 1.5 s: without Redis the
 * API serves too, and answers 503.
 */
export async function startGateway(parts: GatewayParts): Promise<DashboardServer> {
  const { config, redis, dedicatedRedis, reportDamage, warnings } = parts.resources;
  const io = createIo({
    httpServer: parts.server,
    publisher: redis,
    subscriber: dedicatedRedis,
    adapterKey: config.SOCKET_ADAPTER_KEY,
    transports: config.SOCKET_TRANSPORTS,
    corsOrigins: config.CORS_ORIGIN,
    largestMessageBytes: config.MAX_MESSAGE_BYTES,
    reportDamage,
  });
  writeFramesAtOnce(io);
  attachDashboards(io, parts);
  limitDashboards(io, parts.resources);
  attachServices(io, parts);
  const { subscribed, hearsRedis } = sendPositions(io, parts);
  warnings.add(() => [
    hearsRedis()
      ? undefined
      : 'this gateway does not receive what is published: its subscription to Redis does not answer',
    parts.canary()?.verdict().detail,
  ]);
  beat(io, parts);
  // A dashboard that connects must receive whatever is published from then on.
  await within(SUBSCRIBE_WAIT_MS, 'the subscription', subscribed).catch(() => undefined);
  return io;
}

/** The dashboards' namespace: authentication, catch-up, log lines and the latency that browsers report. */
function attachDashboards(io: DashboardServer, { resources, access, snapshots }: GatewayParts): void {
  const { config, clock, metrics, logger } = resources;
  const catchUpFailed = createThrottledLog(logger, 'catch-up failed');
  attachGateway({
    io,
    verifyToken: countRefusedTokens(access.verifyDashboard, metrics.reject),
    catchUp: createCatchUp({
      readLog: snapshots.companyLog.after,
      head: snapshots.companyLog.head,
      takeSnapshots: snapshots.takeSnapshots,
      replayLimit: config.MAX_REPLAYED_EMISSIONS,
    }),
    takeCatchUp: access.takeCatchUp,
    now: clock.now,
    catchUpsPerWindow: config.MAX_CATCH_UPS_PER_SECOND * 10,
    pause,
    onFault: (error, companyId) => {
      catchUpFailed({ companyId }, error);
    },
  });
  logDeliveries(io, logger);
  observeRenderAcks({
    io,
    now: clock.now,
    onSeen: (ms) => {
      metrics.observe('browser', ms);
    },
  });
}

function limitDashboards(io: DashboardServer, { config, lifecycle, recordCut }: Resources<ApiConfig>): void {
  const limits = limitSockets({
    io,
    addressOf: (request) => clientAddress(request, config.TRUST_PROXY),
    perAddress: config.MAX_SOCKETS_PER_ADDRESS,
    perCompany: config.MAX_SOCKETS_PER_COMPANY,
    messagesPerSecond: config.MAX_MESSAGES_PER_SECOND,
    mostBufferedBytes: config.MAX_UNSENT_BYTES,
    onCut: recordCut,
  });
  lifecycle.onClose('socket limits', limits.close);
}

/** The `/internal` namespace, with the limits of the internal routes. */
function attachServices(io: DashboardServer, { resources, acceptance, access, onFault }: GatewayParts): void {
  const { config, metrics } = resources;
  const { accept, idempotently, logRefused } = acceptance;
  const emit = createEmitReply({
    basePath: config.BASE_PATH,
    accept,
    idempotently,
    onFault: (error) => {
      onFault(error, INTERNAL_NAMESPACE);
    },
  });
  attachInternalNamespace({
    io,
    verifyKey: access.verifyKey,
    emit: countRefusals(logRefusedReplies(limitEmits(access.emitLimits, emit), logRefused), metrics.reject),
  });
}

/** Sends the heads of the company logs, and heartbeats that say whether MongoDB can be read. */
function sendPositions(io: DashboardServer, { resources, snapshots }: GatewayParts) {
  const { config, dedicatedRedis: subscriber, models, lifecycle, logger } = resources;
  const notAnnounced = createThrottledLog(logger, 'positions not announced');
  const reads = watchReads({ probe: createReadProbe(models) });
  lifecycle.onClose('reads', reads.close);
  const announcer = announcePositions({
    io,
    head: snapshots.companyLog.head,
    subscriber,
    adapterKey: config.SOCKET_ADAPTER_KEY,
    intervalMs: ANNOUNCE_INTERVAL_MS,
    pause,
    onFault: (error) => {
      notAnnounced({}, error);
    },
  });
  lifecycle.onClose('announcer', announcer.close);
  const { isSubscribed, subscribed } = announcer;
  const heartbeats = sendHeartbeats({ io, subscriber, isSubscribed, readsWork: reads.work });
  lifecycle.onClose('heartbeats', heartbeats.close);
  return { subscribed, hearsRedis: heartbeats.hearsRedis };
}

/** Reports this gateway to the fleet. */
function beat(io: DashboardServer, { resources: { id, metrics, warnings }, canary }: GatewayParts): void {
  metrics.beat(() => {
    const idleMs = canary()?.sinceHeardMs();
    return {
      role: 'gateway',
      id,
      sockets: io.of('/').sockets.size,
      companies: companiesOf(io),
      ...(idleMs !== undefined && { idleMs }),
      warnings: warnings.read(),
    };
  });
}
