import type { CaptureState, Id } from '@appointment-emissions/contracts';
import type { WorkerCoreConfig } from '../src/config.ts';
import { type CaptureEvents, startCapture } from '../src/capture/capture.ts';
import { type Change, NoChangeStreams } from '../src/domain/changes.ts';
import { createOpenChanges } from '../src/population/open-changes.ts';
import { PRIORITY } from '../src/queue/retry-policy.ts';
import { type Captured, createEmitCaptured, type EmitCaptured } from '../src/capture/emit-captured.ts';
import { digestOf } from '../src/emission/encode.ts';
import { createFindPublishedCompanies } from '../src/emission/published-companies.ts';
import { createReadLastPublished, createRefuseEarlierReads } from '../src/emission/last-published.ts';
import { errorMessage } from '../src/errors.ts';
import { readBacklog } from '../src/metrics/queue-depth.ts';
import { createFindReferring } from '../src/population/find-referring.ts';
import { createFindRows } from '../src/population/find-written.ts';
import { createLoadAppointments } from '../src/population/load-appointments.ts';
import type { Logger } from '../src/process/logger.ts';
import { createThrottledLog } from '../src/process/throttled-log.ts';
import { isMongoError, isUnavailable } from '../src/process/unavailable.ts';
import { createAcquireLease } from '../src/redis/lease.ts';
import { composeEnqueue } from '../src/resources/compose-enqueue.ts';
import type { Resources } from '../src/resources/open-resources.ts';
import { failureReason } from './translate-failure.ts';

/** An owner that is silent for longer is taken to be dead: another worker reads the stream from the saved token. */
const LOCK_MS = 6_000;
const RENEW_EVERY_MS = 2_000;
const MAX_LOGGED_IDS = 20;
/** Code of MongoDB: the user lacks a right. */
const UNAUTHORIZED = 13;

/**
 * Reads the change stream, if `CAPTURE` is on. Each worker tries to be the owner. The one that gets the lease reads the
 * stream.
 */
export function captureWrites(resources: Resources<WorkerCoreConfig>): ReadCaptureState {
  const { id, config, redis, shards, lifecycle } = resources;
  if (config.CAPTURE === 'off') return () => undefined;
  const prefix = config.QUEUE_PREFIX;
  const tokenKey = `${prefix}:capture:token`;
  const { events, state } = composeEvents(resources, tokenKey);
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
    backlog: () => readBacklog(redis, shards.all()),
    on: events,
  });
  lifecycle.onClose('capture', capture.close);
  return state;
}

/** Undefined while this worker does not read the change stream. */
type ReadCaptureState = () => CaptureState | undefined;

/** Metrics, log lines and the warning of `/health`. */
function composeEvents(
  resources: Resources<WorkerCoreConfig>,
  tokenKey: string,
): { events: CaptureEvents; state: ReadCaptureState } {
  const { metrics, clock, warnings, reportDamage, logger } = resources;
  const logCaptured = createLogCaptured(logger);
  let advancedAt: number | undefined;
  let problem: string | undefined;
  let restarts = 0;
  const state: ReadCaptureState = () =>
    advancedAt === undefined ? undefined : { tokenAgeMs: performance.now() - advancedAt, restarts };
  warnings.add(() => [problem]);
  metrics.watchCapture(() => state()?.tokenAgeMs);
  const captureFailed = createThrottledLog(logger, 'the capture of writes failed; it will try again');
  const events: CaptureEvents = {
    follows(isOwner) {
      // An owner that cannot open the stream tries each second.
      if (isOwner === (advancedAt !== undefined)) return;
      advancedAt = isOwner ? performance.now() : undefined;
      if (isOwner) problem = undefined;
      logger.info({}, isOwner ? 'this worker reads the change stream' : 'the change stream is closed');
    },
    captured(changes, captured) {
      countCaptured(metrics, changes, captured);
      logCaptured(changes.length, captured);
      for (const { committedAt } of changes)
        if (committedAt !== null) metrics.observe('capture', clock.now() - committedAt);
    },
    advanced() {
      if (advancedAt !== undefined) advancedAt = performance.now();
    },
    restarted(reason) {
      restarts += 1;
      metrics.captureRestarted(reason);
      const fields = { reason, key: reason === 'missing' ? tokenKey : undefined };
      logger.warn(fields, 'the change stream begins now; the sweep finds earlier writes');
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
  return { events, state };
}

function countCaptured(
  metrics: Resources['metrics'],
  changes: readonly Change[],
  { emitted, unknown, unread }: Captured,
): void {
  metrics.captured('emitted', emitted);
  metrics.captured('unknown company', unknown.length);
  metrics.captured('unread', unread.length);
  const others = emitted + unknown.length + unread.length;
  metrics.captured('announced', Math.max(0, changes.length - others));
}

/** Logs what capture found. The ids of a batch are cut to {@link MAX_LOGGED_IDS}. */
function createLogCaptured(logger: Logger) {
  const cut = (ids: readonly Id[]) => ({ appointmentIds: ids.slice(0, MAX_LOGGED_IDS), count: ids.length });
  const logUncompared = createThrottledLog(
    logger,
    '[InternalSocket] Capture cannot read an appointment: it is emitted without a comparison',
  );
  const logUnread = createThrottledLog(
    logger,
    '[InternalSocket] Capture cannot read a document: no event is sent',
  );
  return (changes: number, { emitted, unknown, unread, moved }: Captured): void => {
    if (unknown.length > 0)
      logger.warn(
        cut(unknown),
        '[InternalSocket] Deleted appointments of an unknown company: no event is sent',
      );
    for (const { documentId, error, isEmitted } of unread)
      (isEmitted ? logUncompared : logUnread)({ documentId }, new Error(failureReason(error)));
    if (moved.length > 0)
      logger.warn(
        cut(moved),
        '[InternalSocket] Appointments changed their company: dashboards of the earlier one show them until a reload',
      );
    if (emitted > 0)
      logger.info({ changes, emitted }, '[InternalSocket] Capture found writes that were not announced');
  };
}

const isUnauthorized = (error: unknown): boolean =>
  isMongoError(error, 'MongoServerError') && (error as { code?: unknown }).code === UNAUTHORIZED;

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
    enqueue: async (emissions, { isLive }) => {
      await enqueue(emissions, isLive ? PRIORITY.live : PRIORITY.capture);
    },
    concernsAllReads: (error) => isUnavailable(error) || isUnauthorized(error),
    now: clock.now,
  });
}
