import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { type ApiConfig, ConfigError } from '../config.ts';
import { boundConnections } from '../access/bound-connections.ts';
import { composeAccept } from './compose-accept.ts';
import { composeClock } from '../redis/compose-clock.ts';
import { composeAccess } from './compose-access.ts';
import { composeOperator } from './compose-operator.ts';
import { INTERNAL_NAMESPACE } from '@appointment-emissions/contracts';
import { connectRedis, whenDatabaseMissing, whenReady } from '../redis/connect.ts';
import { createDemoRouter } from '../../demo/demo-routes.ts';
import { createCompanyLog } from '../emission/company-log.ts';
import { createReadSnapshots } from '../emission/read-snapshots.ts';
import { createTakeSnapshots } from '../emission/take-snapshots.ts';
import { messageOf } from '../errors.ts';
import { createApp } from '../http/app.ts';
import { allowOrigins } from '../http/middleware/cors.ts';
import { countRefusals, countRefusedTokens, countRejections } from '../http/middleware/count-rejections.ts';
import { createDashboardRoutes } from '../http/routes/dashboard-routes.ts';
import { createEmitReply } from '../http/routes/emit-reply.ts';
import { createEmissionRoutes } from '../http/routes/emission-routes.ts';
import { checkMongo, checkRedis } from '../http/routes/health-checks.ts';
import { createHealthRoutes, createWarnings } from '../http/routes/health-routes.ts';
import { createHttpServer } from '../http/server.ts';
import { limitEmits } from '../http/middleware/limit-rate.ts';
import { logRequests } from '../http/middleware/log-requests.ts';
import { createListAppointments } from '../http/routes/list-appointments.ts';
import { createMetricsRoutes, servePrometheus } from '../http/routes/metrics-routes.ts';
import { createServing } from '../http/stop-serving.ts';
import { createLifecycle, within } from '../process/lifecycle.ts';
import type { Canary } from '../liveness/canary.ts';
import type { Logger } from '../process/logger.ts';
import { createFleetMetrics } from '../metrics/fleet-metrics.ts';
import { shareFor } from '../metrics/share-for.ts';
import { serveMetricsPort } from '../metrics/serve-metrics-port.ts';
import { createCheckReferences } from '../population/check-references.ts';
import { connectMongo } from '../population/connect.ts';
import { warnOfIndexes } from '../population/indexes.ts';
import { createFindInRange } from '../population/find-in-range.ts';
import { createLoadAppointments } from '../population/load-appointments.ts';
import { createModels } from '../population/models.ts';
import { watchReferences } from '../population/watch-references.ts';
import { closeQueues, openQueues } from '../queue/open-queues.ts';
import { createReadTimelines } from '../queue/timeline.ts';
import { recordCuts } from '../access/record-cuts.ts';
import { startGatewayCanary } from './start-canary.ts';
import { startGateway } from './start-gateway.ts';
import { createLogEarlyTokens } from '../realtime/log-early-tokens.ts';
import { createVerifyToken } from '../access/verify-token.ts';
import { createWarnOfSlowLog, logSlowLog } from '../redis/slow-log.ts';

const INDEX_CHECK_EVERY_MS = 30_000;
const REFERENCE_CHECK_EVERY_MS = 5_000;
const SERVER_SELECTION_MS = 700;
const CONNECT_WAIT_MS = 1_500;

export interface ApiDeps {
  config: ApiConfig;
  logger: Logger;
  /** Folder of the built page. */
  pageDir: string;
}

export interface RunningApi {
  url: string;
  close: () => Promise<void>;
  /** Resolves when it turns out that a setting can never work here: the process should end. */
  unusable: Promise<ConfigError>;
}

/** Composition root of the API with its gateway. Resolves when it listens; what is away then is waited for. */
export async function startApi({ config, logger, pageDir }: ApiDeps): Promise<RunningApi> {
  const id = randomUUID();
  const onFault = (what: string) => (error: unknown) => {
    logger.warn({ what, error: messageOf(error) }, 'fault');
  };
  const lifecycle = createLifecycle({
    deadlineMs: config.SHUTDOWN_DEADLINE_MS,
    onError: (what, error) => {
      logger.error({ what, error: error.message }, 'not closed in order');
    },
  });

  // Connections
  const redis = connectRedis(config.REDIS_URL, 'request', onFault('redis'));
  lifecycle.onClose('redis', () => {
    redis.disconnect();
  });
  const unusable = whenDatabaseMissing(redis).then((words) => new ConfigError([words]));
  const subscriber = connectRedis(config.REDIS_URL, 'subscriber', onFault('redis subscriber'));
  lifecycle.onClose('redis subscriber', () => {
    subscriber.disconnect();
  });
  const mongo = connectMongo(config.MONGODB_URI, {
    serverSelectionMs: SERVER_SELECTION_MS,
    onError: onFault('mongodb'),
  });
  lifecycle.onClose('mongodb', mongo.close);

  const warnOfSlowLog = createWarnOfSlowLog(redis);
  void logSlowLog(redis, warnOfSlowLog, logger);

  // Stages
  const queues = openQueues({ redis, prefix: config.QUEUE_PREFIX, onError: onFault('queue') });
  lifecycle.onClose('queues', () => closeQueues(queues));
  const metrics = createFleetMetrics({
    redis,
    queues,
    prefix: config.QUEUE_PREFIX,
    onError: onFault('metrics'),
  });
  lifecycle.onClose('metrics', metrics.close);
  const models = createModels(mongo.connection);
  const references = watchReferences({
    check: createCheckReferences(models),
    count: metrics.countUnresolved,
    logger,
  });
  lifecycle.onClose('reference check', references.close);
  const warningChecks = [
    shareFor(INDEX_CHECK_EVERY_MS, () => warnOfIndexes(models)),
    shareFor(REFERENCE_CHECK_EVERY_MS, references.warnings),
    metrics.warnings,
  ];
  const companyLog = createCompanyLog(redis);
  const readSnapshots = createReadSnapshots({ redis, load: createLoadAppointments(models) });
  const takeSnapshots = createTakeSnapshots({ redis, readSnapshots, pause });
  const clock = composeClock({ redis, queues, mongo, metrics, lifecycle, logger });
  const parts = { config, redis, queues, models, metrics, lifecycle, clock, logger };
  const { accept, idempotently, enqueue, letLiveFirst, recentIds } = composeAccept(parts);
  const verifyToken = createVerifyToken({
    secret: config.SOCKET_JWT_SECRET,
    jwksUrl: config.SOCKET_JWKS_URL,
    issuer: config.SOCKET_JWT_ISSUER,
    audience: config.SOCKET_JWT_AUDIENCE,
    now: clock.now,
    onTooEarly: createLogEarlyTokens(logger),
  });

  const access = composeAccess({ config, redis, verifyToken, lifecycle });

  let canary: Canary | undefined;
  const isAlive = () => canary?.verdict() ?? { ok: true };
  const { server, serve } = createHttpServer(config);
  const serving = createServing({
    server,
    closeSockets: () => io.close(),
    drainMs: config.SHUTDOWN_DRAIN_MS,
    pause,
  });
  const app = createApp({
    requireApiKey: access.requireApiKey,
    requireAdmin: access.requireAdmin,
    logRequests: logRequests(logger),
    countRejections: countRejections(metrics.reject),
    allowOrigins: allowOrigins(config.CORS_ORIGIN),
    emissionRoutes: createEmissionRoutes({
      accept,
      idempotently,
      timelines: createReadTimelines({ queues, recent: recentIds }),
      bodyLimits: { single: config.BODY_MAX_BYTES, batch: config.BATCH_MAX_BYTES },
    }),
    metricsRoutes: createMetricsRoutes(metrics.read),
    prometheus: servePrometheus(metrics.registry),
    healthRoutes: createHealthRoutes({
      checks: { mongodb: checkMongo(mongo.connection), redis: checkRedis(redis, queues.live.toKey('meta')) },
      leaks: warnOfSlowLog,
      warnings: createWarnings(...warningChecks),
      isDraining: serving.isDraining,
      isAlive,
    }),
    dashboardRoutes: createDashboardRoutes({
      verifyToken: access.verifyList,
      list: createListAppointments({
        head: companyLog.head,
        findIds: createFindInRange(models),
        takeSnapshots,
      }),
    }),
    ...composeOperator({ ...parts, enqueue, letLiveFirst }),
    demoRoutes:
      config.DEMO_MODE && config.SOCKET_JWT_SECRET !== undefined
        ? createDemoRouter({
            jwtSecret: config.SOCKET_JWT_SECRET,
            issuer: config.SOCKET_JWT_ISSUER,
            audience: config.SOCKET_JWT_AUDIENCE,
            timeZone: config.DASHBOARD_TIME_ZONE,
            botUrl: config.DEMO_BOT_URL,
          })
        : undefined,
    pageDir,
    connectOrigins: config.DEMO_BOT_URL ? [config.DEMO_BOT_URL] : [],
    onFault: (error, route) => {
      logger.error({ route, error: messageOf(error) }, 'request failed');
    },
  });

  serve(app);
  const onCut = recordCuts(metrics.cut, logger);
  const emit = createEmitReply({ accept, idempotently, onFault: onFault(INTERNAL_NAMESPACE) });
  const io = await startGateway({
    id,
    server,
    redis,
    subscriber,
    companyLog,
    takeSnapshots,
    verifyToken: countRefusedTokens(access.verifyDashboard, metrics.reject),
    takeCatchUp: access.takeCatchUp,
    verifyKey: access.verifyKey,
    onCut,
    emit: countRefusals(limitEmits(access.emitLimits, emit), metrics.reject),
    metrics,
    progress: () => (canary ? { idleMs: canary.sinceHeardMs() } : {}),
    clock,
    config,
    lifecycle,
    logger,
  });
  // Now that the gateway's listeners for requests are attached.
  const connectionBounds = boundConnections(server, {
    stallTimeoutMs: config.RESPONSE_STALL_TIMEOUT_MS,
    maxPerAddress: config.TRUST_PROXY === 0 ? config.MAX_CONNECTIONS_PER_ADDRESS : undefined,
    onCut,
  });
  lifecycle.onClose('connection bounds', connectionBounds.close);
  metrics.beat(() => ({ role: 'api', id, warnings: clock.warnings() }));

  // Who asks first should not hear that there is no database yet. Without one the API serves all the same.
  const connected = Promise.all([mongo.connected, whenReady(redis)]);
  const waited = within(CONNECT_WAIT_MS, 'MongoDB and Redis', connected).catch(() => undefined);
  const found = await Promise.race([unusable, waited]);
  if (found instanceof ConfigError) {
    await lifecycle.close();
    throw found;
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.PORT, resolve);
  }).catch(async (error: unknown) => {
    await lifecycle.close();
    throw error;
  });
  lifecycle.onClose('http server', serving.stop);

  if (config.METRICS_PORT !== undefined) {
    const { listening, close } = serveMetricsPort(config.METRICS_PORT, {
      registry: metrics.registry,
      isAlive,
      onCut,
    });
    lifecycle.onClose('metrics port', close);
    listening.catch(onFault('metrics port'));
  }

  const { port } = server.address() as AddressInfo;
  if (config.CANARY_INTERVAL_MS > 0) {
    canary = startGatewayCanary({ ...parts, queue: queues.live, io, gatewayId: id, port });
  }
  return { url: `http://localhost:${port}`, close: lifecycle.close, unusable };
}
