import {
  beatGateway,
  composeDashboards,
  composeDisconnects,
  sendPositions,
} from '../api/compose-dashboards.ts';
import { createParseScope, readScope } from '../access/read-scope.ts';
import type { Snapshots } from '../api/compose-snapshots.ts';
import { ConfigError, type EmbeddedConfig } from '../config.ts';
import { createThrottledLog } from '../process/throttled-log.ts';
import { admitSockets } from '../realtime/admit-sockets.ts';
import type { DashboardServer } from '../realtime/dashboard-server.ts';
import { deliverBeside } from '../realtime/deliver-beside.ts';
import { createServeDashboard } from '../realtime/gateway.ts';
import { createDeliverInPieces } from '../realtime/adapter/deliver-in-pieces.ts';
import { createTraceDelivery } from '../realtime/adapter/trace-deliveries.ts';
import { createScopedSockets, type ScopedSockets } from '../realtime/scopes/scoped-sockets.ts';
import { connectedOrLate, type Resources } from '../resources/open-resources.ts';
import { checkAttach } from './check-options.ts';
import type { AttachOptions, SocketIoServer } from './options.ts';

const SCOPE_OF_CLAIMS =
  "the model's scopeOf reads the claims of tokens: give attach a scopeOf that reads the socket";

/** A dashboard would receive each event from both pipelines. */
const attachedServers = new WeakSet<DashboardServer>();

/**
 * The gateway on the application's Socket.IO server. The limits on connections and packets of the stand-alone gateway are not
 * applied, because the application's own events can exceed them. `attach` throws if it cannot attach, and rejects if `REDIS_URL`
 * is not usable. `hasScopes`: whether sockets may have scopes, so that lists need them too.
 */
export function createAttach(resources: Resources<EmbeddedConfig>, snapshots: Snapshots) {
  const { lifecycle, logger, models } = resources;
  const parseScope = createParseScope(models.model);
  let attached: DashboardServer | undefined;
  let hasScopes = models.model.scopeOf !== undefined;
  const attach = (given: SocketIoServer, options: AttachOptions): Promise<unknown> => {
    if (attached) throw new Error('already attached to a Socket.IO server');
    checkAttach(given, options);
    const { companyOf, scopeOf, userOf } = options;
    if (hasScopes && !scopeOf) throw new ConfigError([SCOPE_OF_CLAIMS]);
    hasScopes = scopeOf !== undefined;
    const io = given as unknown as DashboardServer;
    const scopedSockets = createScopedSockets(() => io);
    startDelivery(io, resources, scopedSockets, snapshots);
    attached = io;
    // Each socket has its own limit of catch-ups.
    const parts = { resources, snapshots, scopedSockets, takeCatchUp: () => true };
    const notAdmitted = createThrottledLog(logger, 'socket not admitted');
    const onFault = (error: unknown): void => {
      notAdmitted({}, error);
    };
    const admission = admitSockets({
      io,
      companyOf,
      scopeOf: scopeOf && ((socket) => readScope({ scopeOf, parseScope, onFault }, socket)),
      userOf,
      scopedSockets,
      serve: createServeDashboard(composeDashboards(io, parts)),
      onFault,
    });
    lifecycle.onClose('admission', admission.close);
    beatGateway(io, resources, snapshots, () => undefined);
    const positions = sendPositions(io, parts);
    // The application's own writes, too, need a connection.
    return Promise.all([positions, connectedOrLate(resources)]);
  };
  return {
    attach,
    isAttached: () => attached !== undefined,
    disconnects: composeDisconnects(resources, () => attached),
    hasScopes: () => hasScopes,
  };
}

/** @throws Error if another pipeline delivers to the server */
function startDelivery(
  io: DashboardServer,
  resources: Resources<EmbeddedConfig>,
  scopedSockets: ScopedSockets,
  { turns }: Snapshots,
): void {
  if (attachedServers.has(io)) {
    throw new Error(
      'another pipeline is attached to this Socket.IO server: call createEmissions once in a process, or close the other',
    );
  }
  const { config, redis, dedicatedRedis, reportDamage, lifecycle, tracing } = resources;
  const delivery = deliverBeside({
    io,
    publisher: redis,
    subscriber: dedicatedRedis,
    adapterKey: config.SOCKET_ADAPTER_KEY,
    reportDamage,
    deliverScoped: scopedSockets.deliver,
    deliverInPieces: createDeliverInPieces({ getIo: () => io, turns, reportDamage }),
    traceDelivery: tracing && createTraceDelivery(tracing),
  });
  attachedServers.add(io);
  lifecycle.onClose('delivery', () => {
    attachedServers.delete(io);
    delivery.close();
  });
}
