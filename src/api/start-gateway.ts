import type { Server } from 'node:http';
import { INTERNAL_NAMESPACE } from '@appointment-emissions/contracts';
import { clientAddress } from '../access/client-address.ts';
import type { ApiConfig } from '../config.ts';
import type { OnFault } from '../http/problem.ts';
import { countRefusals, countRefusedTokens, logRefusedReplies } from '../http/middleware/report-refusals.ts';
import { limitEmits } from '../http/middleware/limit-rate.ts';
import { createEmitReply } from '../http/routes/emit-reply.ts';
import type { Canary } from '../liveness/canary.ts';
import { createIo } from '../realtime/create-io.ts';
import type { DashboardServer } from '../realtime/dashboard-server.ts';
import { attachGateway } from '../realtime/gateway.ts';
import { attachInternalNamespace } from '../realtime/internal-namespace.ts';
import { createDeliverInPieces } from '../realtime/adapter/deliver-in-pieces.ts';
import { limitSockets } from '../realtime/limit-sockets.ts';
import { createScopedSockets } from '../realtime/scopes/scoped-sockets.ts';
import { writeFramesAtOnce } from '../realtime/internals/write-frames.ts';
import { createTraceDelivery } from '../realtime/adapter/trace-deliveries.ts';
import type { Resources } from '../resources/open-resources.ts';
import type { Acceptance } from './compose-accept.ts';
import type { Access } from './compose-access.ts';
import { beatGateway, composeDashboards, type DashboardParts, sendPositions } from './compose-dashboards.ts';
import type { Snapshots } from './compose-snapshots.ts';

export interface GatewayParts {
  server: Server;
  resources: Resources<ApiConfig>;
  acceptance: Acceptance;
  access: Access;
  snapshots: Snapshots;
  /** This gateway's canary, while it has one. */
  canary: () => Canary | undefined;
  onFault: OnFault;
}

/**
 * Starts the gateway on the API's server. Resolves when the gateway has subscribed to Redis, or after 1.5 s: without Redis the
 * API serves too, and answers 503.
 */
export async function startGateway(parts: GatewayParts): Promise<DashboardServer> {
  const { config, redis, dedicatedRedis, reportDamage, warnings, tracing } = parts.resources;
  const { turns } = parts.snapshots;
  const scopedSockets = createScopedSockets(() => io);
  const io: DashboardServer = createIo({
    httpServer: parts.server,
    publisher: redis,
    subscriber: dedicatedRedis,
    adapterKey: config.SOCKET_ADAPTER_KEY,
    transports: config.SOCKET_TRANSPORTS,
    corsOrigins: config.CORS_ORIGIN,
    maxMessageBytes: config.MAX_MESSAGE_BYTES,
    addressOf: (request) => clientAddress(request, config.TRUST_PROXY),
    turns,
    reportDamage,
    deliverScoped: scopedSockets.deliver,
    deliverInPieces: createDeliverInPieces({ getIo: () => io, turns, reportDamage }),
    traceDelivery: tracing && createTraceDelivery(tracing),
  });
  writeFramesAtOnce(io);
  attachDashboards(io, { ...parts, scopedSockets });
  limitDashboards(io, parts.resources);
  attachServices(io, parts);
  warnings.add(() => [parts.canary()?.verdict().detail]);
  beatGateway(io, parts.resources, parts.snapshots, () => parts.canary()?.sinceReceivedMs());
  await sendPositions(io, { ...parts, scopedSockets });
  return io;
}

/** The dashboards' namespace: authentication, catch-up, log lines and the latency that browsers report. */
function attachDashboards(
  io: DashboardServer,
  { resources, access, snapshots, scopedSockets }: GatewayParts & Pick<DashboardParts, 'scopedSockets'>,
): void {
  const { clock, metrics } = resources;
  attachGateway({
    ...composeDashboards(io, { resources, snapshots, scopedSockets, takeCatchUp: access.takeCatchUp }),
    verifyToken: countRefusedTokens(access.verifyDashboard, metrics.reject),
    now: clock.now,
  });
}

function limitDashboards(
  io: DashboardServer,
  { config, lifecycle, metrics, recordCut }: Resources<ApiConfig>,
): void {
  const limits = limitSockets({
    io,
    addressOf: (request) => clientAddress(request, config.TRUST_PROXY),
    perAddress: config.MAX_SOCKETS_PER_ADDRESS,
    perCompany: config.MAX_SOCKETS_PER_COMPANY,
    messagesPerSecond: config.MAX_MESSAGES_PER_SECOND,
    maxBufferedBytes: config.MAX_UNSENT_BYTES,
    onCut: recordCut,
    onRefused: metrics.reject,
  });
  lifecycle.onClose('socket limits', limits.close);
}

/** The `/internal` namespace, with the limits of the internal routes. */
function attachServices(io: DashboardServer, { resources, acceptance, access, onFault }: GatewayParts): void {
  const { config, metrics } = resources;
  const { accept, idempotently, logRefused } = acceptance;
  const onServiceFault = (error: unknown): void => {
    onFault(error, { route: INTERNAL_NAMESPACE, isEmission: true });
  };
  const emit = createEmitReply({
    basePath: config.BASE_PATH,
    accept,
    idempotently,
    onFault: onServiceFault,
  });
  attachInternalNamespace({
    io,
    verifyKey: access.verifyKey,
    emit: countRefusals(logRefusedReplies(limitEmits(access.emitLimits, emit), logRefused), metrics.reject),
    onFault: onServiceFault,
  });
}
