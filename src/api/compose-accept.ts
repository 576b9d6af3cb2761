import { createAcceptEmissions } from '../accept/accept-emission.ts';
import { createIdempotency } from '../accept/idempotency.ts';
import { createLogRefused, createRecordAccepted } from '../accept/log-requests.ts';
import { traceAccept } from '../accept/trace-accept.ts';
import type { CoreConfig } from '../config.ts';
import type { InternalRoutes } from '../http/app.ts';
import { createNameRoute, listServerErrors } from '../http/docs/operations.ts';
import { logRequests } from '../http/middleware/log-requests.ts';
import { reportRefusals } from '../http/middleware/report-refusals.ts';
import { createEmissionRoutes } from '../http/routes/emission-routes.ts';
import { serveMetrics } from '../http/routes/monitoring-routes.ts';
import { watchDepth } from '../metrics/queue-depth.ts';
import { createFindCompanies } from '../population/find-companies.ts';
import { createFindJob } from '../queue/find-job.ts';
import { PRIORITY } from '../queue/retry-policy.ts';
import { createReadTimelines } from '../queue/timeline.ts';
import { composeEnqueue } from '../resources/compose-enqueue.ts';
import type { AddDirect } from '../../workers/run-direct-jobs.ts';
import type { OnFault } from '../http/problem.ts';
import type { Logger } from '../process/logger.ts';
import { createBulkPacer } from '../process/bulk-pacer.ts';
import { createThrottledLog } from '../process/throttled-log.ts';
import type { Resources } from '../resources/open-resources.ts';

const DEPTH_CHECK_EVERY_MS = 1_000;
/** In a process that runs direct jobs, bulk requests keep the event loop below this part of the utilization at which direct jobs end. */
const DIRECT_JOBS_SHARE = 0.45;

export type Acceptance = ReturnType<typeof composeAccept>;

/**
 * From a request of the bot, by HTTP or socket, to a job in the queue.
 * @param addDirect  for live emissions that this process can run itself
 */
export function composeAccept(resources: Resources<CoreConfig>, addDirect?: AddDirect) {
  const { config, redis, shards, models, metrics, reportDamage, lifecycle, clock, logger, tracing } =
    resources;
  const { enqueue, recent, share } = composeEnqueue(resources, addDirect);
  lifecycle.onClose('recent ids', recent.settled);
  const pacer = createBulkPacer(
    addDirect && { targetUtilization: DIRECT_JOBS_SHARE * config.MAX_DIRECT_UTILIZATION },
  );
  const accept = createAcceptEmissions({
    findCompanies: createFindCompanies(models),
    enqueue,
    priority: PRIORITY,
    isFull: watchQueueFull(resources),
    pacer,
    isOverShare: share.isOver,
    isNearLimit: share.isNearLimit,
    now: clock.now,
    onAccepted: createRecordAccepted({ metrics, logger }),
  });
  return {
    accept: tracing ? traceAccept(accept, tracing) : accept,
    logRefused: createLogRefused(logger),
    idempotently: createIdempotency({
      redis,
      prefix: config.QUEUE_PREFIX,
      ttlSeconds: config.IDEMPOTENCY_TTL_SECONDS,
      reportDamage,
      goesOnWithout: () => shards.all().length > 1,
    }),
    enqueue,
    /** Repairs yield to live emissions too. */
    pacer,
    recentIds: recent.read,
    mostOverShare: share.mostOver,
  };
}

/** Reads the number of waiting jobs every second. */
function watchQueueFull({ config, redis, shards, lifecycle }: Resources<CoreConfig>): () => boolean {
  const depth = watchDepth({
    redis,
    shards: shards.all,
    maxDepth: config.MAX_WAITING_EMISSIONS,
    everyMs: DEPTH_CHECK_EVERY_MS,
  });
  lifecycle.onClose('queue depth', depth.close);
  return depth.isFull;
}

/** The internal routes, and the handlers in front of them. */
export function composeInternalRoutes(
  { config, shards, metrics, reportDamage, logger }: Resources<CoreConfig>,
  { accept, idempotently, recentIds, logRefused }: Acceptance,
  requireApiKey: InternalRoutes['requireApiKey'],
): InternalRoutes {
  const nameRoute = createNameRoute();
  for (const { route, status } of listServerErrors()) metrics.startSeries(route, status);
  return {
    requireApiKey,
    logRequests: logRequests(logger, (req, status, tookMs) => {
      metrics.answered(nameRoute(req), status, tookMs);
    }),
    reportRefusals: reportRefusals(metrics.reject, logRefused),
    emissionRoutes: createEmissionRoutes({
      basePath: config.BASE_PATH,
      accept,
      idempotently,
      timelines: createReadTimelines({ findJob: createFindJob(shards.all, reportDamage), recent: recentIds }),
      bodyLimits: { single: config.MAX_BODY_BYTES, batch: config.MAX_BATCH_BYTES },
    }),
    readMetrics: serveMetrics(metrics.read),
    onFault: createLogFaults(logger),
  };
}

/** Logs server errors of requests, throttled. */
export function createLogFaults(logger: Logger): OnFault {
  const requestFailed = createThrottledLog(logger, 'request failed', { level: 'error' });
  const emissionFailed = createThrottledLog(logger, '[InternalSocket] Failed to emit: request failed', {
    level: 'error',
  });
  return (error, { route, isEmission }) => {
    (isEmission ? emissionFailed : requestFailed)({ route }, error);
  };
}
