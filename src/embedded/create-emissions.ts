import type { Connection } from 'mongoose';
import {
  ALIVE_EVENT,
  APPOINTMENT_CANCELED,
  APPOINTMENT_CREATED,
  APPOINTMENT_UPDATED,
  DASHBOARD_NAMESPACE,
} from '@appointment-emissions/contracts';
import { composeAccept, composeEmissionRoutes } from '../api/compose-accept.ts';
import { composeServiceAccess } from '../api/compose-access.ts';
import { beatGateway, composeDashboards, sendPositions } from '../api/compose-dashboards.ts';
import { composeSnapshots } from '../api/compose-snapshots.ts';
import { type EmbeddedConfig, loadEmbeddedConfig } from '../config.ts';
import { createInternalRouter } from '../http/internal-router.ts';
import { countRejections } from '../http/middleware/count-rejections.ts';
import { logRequests } from '../http/middleware/log-requests.ts';
import { createMetricsRoutes } from '../http/routes/metrics-routes.ts';
import { DEFAULT_MODEL } from '../model/default-model.ts';
import { parseModel } from '../model/parse-model.ts';
import { adoptConnection } from '../population/adopt-connection.ts';
import { createThrottledLog } from '../process/throttled-log.ts';
import { admitSockets } from '../realtime/admit-sockets.ts';
import { type DashboardServer, isDashboard } from '../realtime/create-io.ts';
import { deliverBeside } from '../realtime/deliver-beside.ts';
import { createServeDashboard } from '../realtime/gateway.ts';
import { openResources, type Resources } from '../resources/open-resources.ts';
import { runWorker } from '../../workers/start-worker.ts';
import { createAnnounceWrites } from './announce-writes.ts';
import { createApplicationLog } from './application-log.ts';
import type { AttachOptions, Emissions, EmissionsOptions, Middleware, SocketIoServer } from './options.ts';

/**
 * Adds the pipeline to an existing application. Returns at once: servers that are unavailable are tried again until they
 * answer.
 * @example
 * ```ts
 * const emissions = createEmissions({ connection: mongoose.connection, redis, model, settings: process.env });
 * app.use('/api/v1/internal', emissions.router);
 * await emissions.attach(io, { companyOf: (socket) => socket.data.user.companyId });
 * emissions.startWorker();
 * await emissions.updated(appointment._id, { session });
 * ```
 * @throws ConfigError or ModelError with every problem of the settings or of the model
 */
export function createEmissions(options: EmissionsOptions): Emissions {
  const { io, companyOf } = options;
  if (io && !companyOf) throw new Error('companyOf is required with io: it names the company of a socket');
  const config = loadEmbeddedConfig({ ...options.settings, REDIS_URL: options.redis });
  const model = options.model === undefined ? DEFAULT_MODEL : parseModel(options.model);
  const logger = createApplicationLog(options.logger);
  const open = (role: 'api' | 'worker'): Resources<EmbeddedConfig> =>
    openResources({
      config,
      model,
      role,
      connect: (events) => adoptConnection(options.connection as unknown as Connection, events),
      logger,
    });
  const resources = open('api');
  const acceptance = composeAccept(resources);
  const announce = createAnnounceWrites({ accept: acceptance.accept, logger });
  const attach = createAttach(resources);
  let worker: Resources<EmbeddedConfig> | undefined;
  let closing: Promise<void> | undefined;

  const emissions: Emissions = {
    router: composeRouter(resources, acceptance),
    attach: async (...args) => attach(...args),
    created: announce(APPOINTMENT_CREATED),
    updated: announce(APPOINTMENT_UPDATED),
    canceled: announce(APPOINTMENT_CANCELED),
    startWorker() {
      if (worker || closing) return;
      worker = open('worker');
      runWorker(worker);
    },
    close() {
      closing ??= (async () => {
        await worker?.lifecycle.close();
        await resources.lifecycle.close();
      })();
      return closing;
    },
  };
  if (io && companyOf) {
    try {
      void attach(io, { companyOf });
    } catch (error) {
      void emissions.close();
      throw error;
    }
  }
  return emissions;
}

function composeRouter(
  resources: Resources<EmbeddedConfig>,
  acceptance: ReturnType<typeof composeAccept>,
): Middleware {
  const { metrics, logger } = resources;
  const requestFailed = createThrottledLog(logger, 'request failed', { level: 'error' });
  const router = createInternalRouter({
    requireApiKey: composeServiceAccess(resources).requireApiKey,
    logRequests: logRequests(logger),
    countRejections: countRejections(metrics.reject),
    emissionRoutes: composeEmissionRoutes(resources, acceptance),
    metricsRoutes: createMetricsRoutes(metrics.read),
    onFault: (error, route) => {
      requestFailed({ route }, error);
    },
  });
  return router as unknown as Middleware;
}

/** The gateway on the application's Socket.IO server. What it returns throws at once if it cannot attach. */
function createAttach(resources: Resources<EmbeddedConfig>) {
  let isAttached = false;
  return (given: SocketIoServer, { companyOf }: AttachOptions): Promise<void> => {
    if (isAttached) throw new Error('already attached to a Socket.IO server');
    const { config, redis, dedicatedRedis, reportDamage, lifecycle, logger } = resources;
    const io = given as unknown as DashboardServer;
    const delivery = deliverBeside({
      io,
      publisher: redis,
      subscriber: dedicatedRedis,
      adapterKey: config.SOCKET_ADAPTER_KEY,
      reportDamage,
    });
    isAttached = true;
    lifecycle.onClose('delivery', delivery.close);
    const snapshots = composeSnapshots(resources);
    const parts = { resources, snapshots, takeCatchUp: () => true };
    const notAdmitted = createThrottledLog(logger, 'socket not admitted');
    const admission = admitSockets({
      io,
      companyOf,
      serve: createServeDashboard(composeDashboards(io, parts)),
      onFault: (error) => {
        notAdmitted({}, error);
      },
    });
    lifecycle.onClose('admission', admission.close);
    beatGateway(io, resources, () => undefined);
    return sendPositions(io, parts, (heartbeat) => {
      const ids = [...io.of(DASHBOARD_NAMESPACE).sockets.values()].flatMap((socket) =>
        isDashboard(socket) && socket.data.emissions.wantsPositions ? socket.id : [],
      );
      if (ids.length > 0) io.local.to(ids).emit(ALIVE_EVENT, heartbeat);
    });
  };
}
