import type { WorkerCoreConfig } from '../src/config.ts';
import { type CaptureEvents, startCapture } from '../src/capture/capture.ts';
import { NoChangeStreams } from '../src/domain/changes.ts';
import { createOpenChanges } from '../src/population/open-changes.ts';
import { PRIORITY } from '../src/queue/retry-policy.ts';
import { createEmitCaptured, type EmitCaptured } from '../src/capture/emit-captured.ts';
import { digestOf } from '../src/emission/encode.ts';
import { createFindPublishedCompanies } from '../src/emission/published-companies.ts';
import { createReadLastPublished, createRefuseEarlierReads } from '../src/emission/last-published.ts';
import { errorMessage } from '../src/errors.ts';
import { readBacklog } from '../src/metrics/queue-depth.ts';
import { createFindReferring } from '../src/population/find-referring.ts';
import { createFindRows } from '../src/population/find-written.ts';
import { createLoadAppointments } from '../src/population/load-appointments.ts';
import { createThrottledLog } from '../src/process/throttled-log.ts';
import { createAcquireLease } from '../src/redis/lease.ts';
import { composeEnqueue } from '../src/resources/compose-enqueue.ts';
import type { Resources } from '../src/resources/open-resources.ts';

/** An owner that is silent for longer is taken to be dead: another worker reads the stream from the saved token. */
const LOCK_MS = 6_000;
const RENEW_EVERY_MS = 2_000;
const MAX_LOGGED_IDS = 20;

/**
 * Reads the change stream, if `CAPTURE` is on. Each worker tries to be the owner. The one that gets the lease reads the
 * stream.
 */
export function captureWrites(resources: Resources<WorkerCoreConfig>): void {
  const { id, config, redis, queues, lifecycle } = resources;
  if (config.CAPTURE === 'off') return;
  const prefix = config.QUEUE_PREFIX;
  const tokenKey = `${prefix}:capture:token`;
  const capture = startCapture({
    acquireLease: createAcquireLease({
      redis,
      lock: `${prefix}:capture:lock`,
      ownerId: id,
      lockMs: LOCK_MS,
    }),
    tokenKey,
    openChanges: createOpenChanges(resources.models, { withReferences: config.CAPTURE_REFERENCES }),
    emitCaptured: composeEmitCaptured(resources),
    graceMs: config.CAPTURE_GRACE_MS,
    renewEveryMs: RENEW_EVERY_MS,
    backlog: () => readBacklog(redis, queues),
    on: composeEvents(resources, tokenKey),
  });
  lifecycle.onClose('capture', capture.close);
}

/** Metrics, log lines and the warning of `/health`. */
function composeEvents(
  { metrics, clock, warnings, reportDamage, logger }: Resources<WorkerCoreConfig>,
  tokenKey: string,
): CaptureEvents {
  let savedAt: number | undefined;
  let problem: string | undefined;
  warnings.add(() => [problem]);
  metrics.watchCapture(() => (savedAt === undefined ? undefined : performance.now() - savedAt));
  const captureFailed = createThrottledLog(logger, 'the capture of writes failed; it will try again');
  return {
    follows(isOwner) {
      // An owner that cannot open the stream tries each second.
      if (isOwner === (savedAt !== undefined)) return;
      savedAt = isOwner ? performance.now() : undefined;
      if (isOwner) problem = undefined;
      logger.info({}, isOwner ? 'this worker reads the change stream' : 'the change stream is closed');
    },
    captured(changes, { emitted, unknown }) {
      metrics.captured('emitted', emitted);
      metrics.captured('unknown company', unknown.length);
      metrics.captured('announced', Math.max(0, changes.length - emitted - unknown.length));
      if (unknown.length > 0)
        logger.warn(
          { appointmentIds: unknown.slice(0, MAX_LOGGED_IDS), count: unknown.length },
          '[InternalSocket] Deleted appointments of an unknown company: no event is sent',
        );
      for (const { committedAt } of changes)
        if (committedAt !== null) metrics.observe('capture', clock.now() - committedAt);
      if (emitted > 0)
        logger.info(
          { changes: changes.length, emitted },
          '[InternalSocket] Capture found writes that were not announced',
        );
    },
    saved() {
      savedAt = performance.now();
    },
    restarted(reason) {
      metrics.captureRestarted(reason);
      logger.warn({ reason }, 'the change stream begins now; the sweep finds the writes before');
    },
    damaged() {
      reportDamage('token', { key: tokenKey });
    },
    waits() {
      problem = undefined;
    },
    failed(error) {
      problem =
        error instanceof NoChangeStreams
          ? `CAPTURE=change-stream has no effect: ${error.message}. The sweep finds unannounced writes.`
          : `the capture of writes fails: ${errorMessage(error)}`;
      captureFailed({}, error);
    },
  };
}

function composeEmitCaptured(resources: Resources<WorkerCoreConfig>): EmitCaptured {
  const { redis, companyKeys: keys, publishedKeys, models, clock, reportDamage, lifecycle } = resources;
  const { enqueue, recent } = composeEnqueue(resources);
  lifecycle.onClose('recent ids of the capture', recent.settled);
  return createEmitCaptured({
    load: createLoadAppointments(models),
    findRows: createFindRows(models),
    findReferring: createFindReferring(models),
    companiesOf: createFindPublishedCompanies({
      redis,
      keys: publishedKeys,
      now: clock.now,
      reportDamage,
    }),
    lastPublished: createReadLastPublished({ redis, keys, reportDamage }),
    refuseEarlierReads: createRefuseEarlierReads(redis, keys),
    digestOf,
    isCanceled: models.isCanceled,
    enqueue: (emissions, { isLive }) => enqueue(emissions, isLive ? PRIORITY.live : PRIORITY.capture),
    now: clock.now,
  });
}
