import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { type ApiConfig, ConfigError } from '../config.ts';
import { boundConnections } from '../access/bound-connections.ts';
import { composeAccept } from './compose-accept.ts';
import { composeClock } from '../redis/compose-clock.ts';
import { composeAccess } from './compose-access.ts';
import { composeWarnings } from './compose-warnings.ts';
import { composeOperator } from './compose-operator.ts';
import { INTERNAL_NAMESPACE } from '@appointment-emissions/contracts';
import { connectRedis, whenDatabaseMissing, whenReady } from '../redis/connect.ts';
import { createReportDamage } from '../process/damaged-data.ts';
import { demoRoutesOf } from '../../demo/demo-routes.ts';
import { createCompanyLog } from '../emission/company-log.ts';
import { createCompanyKeys } from '../emission/keys.ts';
import { createReadSnapshots } from '../emission/read-snapshots.ts';
import { createTakeSnapshots } from '../emission/take-snapshots.ts';
import { errorMessage } from '../errors.ts';
import { createApp } from '../http/app.ts';
import { allowOrigins } from '../http/middleware/cors.ts';
import { countRefusals, countRefusedTokens, countRejections } from '../http/middleware/count-rejections.ts';
import { createDashboardRoutes } from '../http/routes/dashboard-routes.ts';
import { createEmitReply } from '../http/routes/emit-reply.ts';
import { createEmissionRoutes } from '../http/routes/emission-routes.ts';
import { checkMongo, checkRedis } from '../http/routes/health-checks.ts';
import { createHealthRoutes } from '../http/routes/health-routes.ts';
import { createHttpServer } from '../http/server.ts';
import { limitEmits } from '../http/middleware/limit-rate.ts';
import { logRequests } from '../http/middleware/log-requests.ts';
import { createListAppointments } from '../http/routes/list-appointments.ts';
import { createMetricsRoutes, servePrometheus } from '../http/routes/metrics-routes.ts';
import { createServing } from '../http/stop-serving.ts';
import { createLifecycle, within } from '../process/lifecycle.ts';
import { listenError } from '../process/listen-error.ts';
import type { Canary } from '../liveness/canary.ts';
import { watchReads } from '../liveness/watch-reads.ts';
import type { Logger } from '../process/logger.ts';
import { createFleetMetrics } from '../metrics/fleet-metrics.ts';
import { serveMetricsPort } from '../metrics/serve-metrics-port.ts';
import { createCheckReferences } from '../population/check-references.ts';
import { connectMongo } from '../population/connect.ts';
import { createReadProbe } from '../population/read-probe.ts';
import { createFindInRange } from '../population/find-in-range.ts';
import { createLoadAppointments } from '../population/load-appointments.ts';
import { createModels } from '../population/models.ts';
import { watchReferences } from '../population/watch-references.ts';
import { closeQueues, openQueues } from '../queue/open-queues.ts';
import { createFindJob } from '../queue/find-job.ts';
import { createReadTimelines } from '../queue/timeline.ts';
import { recordCuts } from '../access/record-cuts.ts';
import { startGatewayCanary } from './start-canary.ts';
import { type Gateway, startGateway } from './start-gateway.ts';
import { createThrottledLog } from '../process/throttled-log.ts';
import { watchConnections } from '../redis/watch-connections.ts';

const SERVER_SELECTION_MS = 700;
const CONNECT_WAIT_MS = 1_500;

export interface ApiDeps {
  config: ApiConfig;
  logger: Logger;
  /** Folder of the built page. */
  pageDir: string;
  /** What is wrong with this process' log, in words. */
  logWarnings?: () => string[];
}

export interface RunningApi {
  url: string;
  close: () => Promise<void>;
  /** Resolves when it turns out that a setting can never work here: the process should end. */
  unusable: Promise<Error>;
}

/** Composition root of the API with its gateway. Resolves when it listens; what is away then is waited for. */
export async function startApi(deps: ApiDeps): Promise<RunningApi> {
  const { config, logger, pageDir, logWarnings = () => [] } = deps;
  const id = randomUUID();
  const lifecycle = createLifecycle({
    deadlineMs: config.SHUTDOWN_DEADLINE_MS,
    onError: (what, error) => {
      logger.error({ what, error: error.message }, 'not closed in order');
    },
  });

  // Connections
  const watch = watchConnections(logger, lifecycle);
  const redis = connectRedis(config.REDIS_URL, 'request');
  watch.redis('requests', redis);
  lifecycle.onClose('redis', () => {
    redis.disconnect();
  });
  const unusable = whenDatabaseMissing(redis).then((words) => new ConfigError([words]));
  const subscriber = connectRedis(config.REDIS_URL, 'subscriber');
  watch.redis('subscription', subscriber);
  lifecycle.onClose('redis subscriber', () => {
    subscriber.disconnect();
  });
  const mongo = connectMongo(config.MONGODB_URI, {
    serverSelectionMs: SERVER_SELECTION_MS,
    ...watch.mongo,
  });
  lifecycle.onClose('mongodb', mongo.close);
  watch.ready();

  // Stages
  const queues = openQueues({ redis, prefix: config.QUEUE_PREFIX, onError: watch.queue('queue error') });
  lifecycle.onClose('queues', () => closeQueues(queues));
  const metrics = createFleetMetrics({
    redis,
    queues,
    prefix: config.QUEUE_PREFIX,
    reportDamage: (kind, details) => {
      reportDamage(kind, details);
    },
    onError: watch.queue('counts not kept'),
  });
  lifecycle.onClose('metrics', metrics.close);
  const reportDamage = createReportDamage({ count: metrics.damage, logger });
  const models = createModels(mongo.connection);
  const references = watchReferences({
    check: createCheckReferences(models),
    count: metrics.countUnresolved,
    logger,
  });
  lifecycle.onClose('reference check', references.close);
  const keys = createCompanyKeys(config.QUEUE_PREFIX);
  const companyLog = createCompanyLog(redis, { keys, reportDamage });
  const load = createLoadAppointments(models);
  const readSnapshots = createReadSnapshots({ redis, keys, load, reportDamage });
  const takeSnapshots = createTakeSnapshots({ redis, keys, readSnapshots, pause });
  const clock = composeClock({ redis, queues, mongo, metrics, lifecycle, logger });
  const parts = { config, redis, queues, models, metrics, reportDamage, lifecycle, clock, logger };
  const { accept, idempotently, enqueue, letLiveFirst, recentIds } = composeAccept(parts);
  const access = composeAccess(parts);

  const logFailed = createThrottledLog(logger, 'request failed', { level: 'error' });
  const requestFailed = (route: string | undefined) => (error: unknown) => {
    logFailed({ route }, error);
  };
  const reads = watchReads({ probe: createReadProbe(models) });
  lifecycle.onClose('reads', reads.close);
  let canary: Canary | undefined;
  let gateway = undefined as Gateway | undefined;
  let metricsPortFault: string | undefined;
  /** What is wrong with this process itself. */
  const ownWarnings = (): string[] =>
    [
      gateway?.hearsRedis() === false
        ? 'this gateway does not receive what is published: its subscription to Redis does not answer'
        : undefined,
      canary?.verdict().detail,
      metricsPortFault,
      ...clock.warnings(),
      ...logWarnings(),
    ].filter((words) => words !== undefined);
  const warnings = composeWarnings({
    id,
    config,
    redis,
    models,
    metrics,
    unresolvedReferences: references.warnings,
    ownWarnings,
  });
  metrics.watchWarnings(warnings.all);
  const isAlive = () => canary?.verdict() ?? { ok: true };
  const { server, serve } = createHttpServer(config);
  const serving = createServing({
    server,
    closeSockets: async () => gateway?.io.close(),
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
      basePath: config.BASE_PATH,
      accept,
      idempotently,
      timelines: createReadTimelines({ findJob: createFindJob(queues, reportDamage), recent: recentIds }),
      bodyLimits: { single: config.BODY_MAX_BYTES, batch: config.BATCH_MAX_BYTES },
    }),
    metricsRoutes: createMetricsRoutes(metrics.read),
    prometheus: servePrometheus(metrics.registry),
    healthRoutes: createHealthRoutes({
      checks: { mongodb: checkMongo(mongo.connection), redis: checkRedis(redis, queues.live.toKey('meta')) },
      warnings: warnings.all,
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
    ...composeOperator({ ...parts, warnings: warnings.beyondFigures, enqueue, letLiveFirst }),
    demoRoutes: demoRoutesOf(config),
    pageDir,
    basePath: config.BASE_PATH,
    connectOrigins: config.DEMO_BOT_URL ? [config.DEMO_BOT_URL] : [],
    onFault: (error, route) => {
      requestFailed(route)(error);
    },
  });

  serve(app);
  const onCut = recordCuts(metrics.cut, logger);
  const emit = createEmitReply({
    basePath: config.BASE_PATH,
    accept,
    idempotently,
    onFault: requestFailed(INTERNAL_NAMESPACE),
  });
  gateway = await startGateway({
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
    readsWork: reads.work,
    progress: () => ({ ...(canary && { idleMs: canary.sinceHeardMs() }), warnings: ownWarnings() }),
    clock,
    reportDamage,
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
  metrics.beat(() => ({ role: 'api', id }));

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
    throw listenError('PORT', error);
  });
  lifecycle.onClose('http server', serving.stop);

  if (config.METRICS_PORT !== undefined) {
    const { listening, close } = serveMetricsPort(config.METRICS_PORT, {
      registry: metrics.registry,
      isAlive,
      onCut,
    });
    lifecycle.onClose('metrics port', close);
    listening.catch((error: unknown) => {
      metricsPortFault = `the metrics port is not open: ${errorMessage(error)}`;
      logger.error({ error: metricsPortFault }, 'metrics port not open');
    });
  }

  const { port } = server.address() as AddressInfo;
  if (config.CANARY_INTERVAL_MS > 0) {
    canary = startGatewayCanary({ ...parts, queue: queues.live, io: gateway.io, gatewayId: id, port });
  }
  return { url: `http://localhost:${port}`, close: lifecycle.close, unusable };
}
