import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { boundConnections } from '../access/bound-connections.ts';
import type { ApiConfig } from '../config.ts';
import { createHttpServer } from '../http/server.ts';
import { createServing } from '../http/stop-serving.ts';
import type { AppointmentModel } from '../model/appointment-model.ts';
import type { Canary } from '../liveness/canary.ts';
import { connectMongo } from '../population/connect.ts';
import { closeIfThrows } from '../process/lifecycle.ts';
import { listen } from '../process/listen.ts';
import type { Logger } from '../process/logger.ts';
import type { DashboardServer } from '../realtime/dashboard-server.ts';
import { openMetricsPort } from '../resources/open-metrics-port.ts';
import type { ServerTracing } from '../tracing/load-tracing.ts';
import { runDirectJobs } from '../../workers/run-direct-jobs.ts';
import { connectedOrLate, openResources, type Resources } from '../resources/open-resources.ts';
import { composeAccept, createLogFaults } from './compose-accept.ts';
import { composeAccess } from './compose-access.ts';
import { composeApp, type ComposeAppDeps } from './compose-app.ts';
import { composeDisconnects } from './compose-dashboards.ts';
import { composeSnapshots } from './compose-snapshots.ts';
import { startGatewayCanary } from './start-canary.ts';
import { startGateway } from './start-gateway.ts';

export interface ApiDeps extends Pick<ComposeAppDeps, 'pageDir' | 'routes' | 'connectOrigins'> {
  config: ApiConfig;
  model: AppointmentModel;
  logger: Logger;
  /** Problems of this process' log, as text for the operator. */
  logWarnings?: () => string[];
  /** Undefined without an OpenTelemetry SDK. */
  tracing: ServerTracing | undefined;
}

export interface RunningApi {
  url: string;
  close: () => Promise<void>;
  /** Resolves if a setting turns out to be unusable with this Redis: the process must end. */
  unusable: Promise<Error>;
}

/**
 * Starts the API with its gateway. Resolves when it listens. If MongoDB or Redis is unavailable, it listens after 1.5 s, and
 * connects as soon as they answer.
 * @throws ConfigError if Redis has no database of the number in REDIS_URL; Error that names PORT if the port is not usable
 */
export async function startApi(deps: ApiDeps): Promise<RunningApi> {
  const { config, model, logger, logWarnings, tracing, ...pages } = deps;
  const resources = openResources({
    config,
    model,
    role: 'api',
    connect: (options) => connectMongo(config.MONGODB_URI, options),
    logger,
    logWarnings,
    tracing,
  });
  const { id, lifecycle, metrics, unusable } = resources;
  let io = undefined as DashboardServer | undefined;
  const parts = closeIfThrows(lifecycle, () => ({
    resources,
    acceptance: composeAccept(resources, config.API_CONCURRENCY > 0 ? runDirectJobs(resources) : undefined),
    access: composeAccess(resources),
    snapshots: composeSnapshots(resources),
    disconnects: composeDisconnects(resources, () => io),
    onFault: createLogFaults(logger),
  }));

  let canary: Canary | undefined;
  const isAlive = () => canary?.verdict() ?? { ok: true };
  const { server, serve } = createHttpServer(config);
  const serving = createServing({
    server,
    closeSockets: async () => io?.close(),
    drainMs: config.SHUTDOWN_DRAIN_MS,
    pause,
  });
  let port: number;
  try {
    serve(composeApp({ ...parts, ...pages, isDraining: serving.isDraining, isAlive }));
    [io] = await Promise.all([
      startGateway({ ...parts, server, canary: () => canary }),
      connectedOrLate(resources),
    ]);
    // After startGateway, which adds listeners of its own to the server.
    limitConnections(server, resources);
    metrics.beat(() => ({ role: 'api', id, overShare: parts.acceptance.mostOverShare() }));
    port = await listen(server, { port: config.PORT, setting: 'PORT', logger });
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
  lifecycle.onClose('http server', serving.stop);
  openMetricsPort(resources, isAlive);
  if (config.CANARY_INTERVAL_MS > 0) canary = startGatewayCanary(resources, io, port);
  const close = async () => {
    // All parts still work, and the deadline of their end has not begun.
    await serving.drain();
    await lifecycle.close();
  };
  return { url: `http://localhost:${port}`, close, unusable };
}

function limitConnections(server: Server, { config, lifecycle, recordCut }: Resources<ApiConfig>): void {
  const bounds = boundConnections(server, {
    stallTimeoutMs: config.RESPONSE_STALL_TIMEOUT_MS,
    maxPerAddress: config.TRUST_PROXY === 0 ? config.MAX_CONNECTIONS_PER_ADDRESS : undefined,
    onCut: recordCut,
  });
  lifecycle.onClose('connection bounds', bounds.close);
}
