import type { Queue } from 'bullmq';
import { chunks } from '../src/batching.ts';
import type { WorkerCoreConfig } from '../src/config.ts';
import type { LeftOutRow } from '../src/domain/updated-rows.ts';
import { createReadLastPublished } from '../src/emission/last-published.ts';
import { createDropForeign } from '../src/emission/published-companies.ts';
import { createReadPublishedPage } from '../src/emission/read-published.ts';
import { errorMessage } from '../src/errors.ts';
import { readBacklog } from '../src/metrics/queue-depth.ts';
import {
  createFindMissing,
  createFindUnsweepable,
  createFindUpdated,
  createHasAppointments,
} from '../src/population/find-updated.ts';
import type { Logger } from '../src/process/logger.ts';
import { createThrottledLog } from '../src/process/throttled-log.ts';
import { isUnavailable } from '../src/process/unavailable.ts';
import { PRIORITY } from '../src/queue/retry-policy.ts';
import { composeEnqueue } from '../src/resources/compose-enqueue.ts';
import type { Resources } from '../src/resources/open-resources.ts';
import type { MissedEmission } from '../src/domain/updated-rows.ts';
import { createEmitMissed, type EmitMissed } from '../src/sweep/emit-missed.ts';
import { createFindGone, type FindGone, type HeldDeletions } from '../src/sweep/find-gone.ts';
import { createLeftOutRows, type LeftOutRows } from '../src/sweep/left-out.ts';
import { createLookBack, type LookBack } from '../src/sweep/look-back.ts';
import { startSweep, SWEEP_OFF } from '../src/sweep/start-sweep.ts';
import { createAcquireSweepLease } from '../src/sweep/sweep-state.ts';
import { createSweep } from '../src/sweep/sweep.ts';

/** A sweep that takes longer is taken to be dead: another worker may begin. */
const MIN_LOCK_MS = 15_000;
/** The sweep adds this many jobs at once, so that it does not delay live emissions. */
const JOBS_PER_SLICE = 25;
const LOG_LEFT_OUT_EVERY_MS = 10_000;
const MAX_LOGGED_IDS = 20;

interface SweepParts {
  findUpdated: ReturnType<typeof createFindUpdated>;
  emitMissed: EmitMissed;
  leftOut: LeftOutRows;
  lookBack: LookBack;
  findGone: FindGone;
}

/**
 * Runs the sweep on a timer, unless `RECONCILE_INTERVAL_MS` is 0. Each worker has the timer. The one that gets the lease does
 * the work.
 */
export function sweepMissedWrites(resources: Resources<WorkerCoreConfig>): void {
  const { config, redis, companyKeys: keys, metrics, reportDamage, warnings, lifecycle } = resources;
  if (config.RECONCILE_INTERVAL_MS === 0) {
    warnings.add(() => [SWEEP_OFF]);
    return;
  }
  const { enqueue, recent } = composeEnqueue(resources);
  lifecycle.onClose('recent ids of the sweep', recent.settled);
  const enqueueSlowly = async (emissions: readonly MissedEmission[]): Promise<void> => {
    for (const slice of chunks(emissions, JOBS_PER_SLICE)) await enqueue(slice, PRIORITY.sweep);
  };
  const emitMissed = createEmitMissed({
    lastPublished: createReadLastPublished({ redis, keys, reportDamage }),
    isCanceled: resources.models.isCanceled,
    isUnavailable,
    enqueue: async (emissions) => {
      const { of } = resources.shards;
      await enqueueSlowly(
        await Promise.all(emissions.map((emission) => withUnusedId(of(emission.companyId).bulk, emission))),
      );
    },
  });
  const findUpdated = createFindUpdated(resources.models);
  const leftOut = createLeftOutRows(createLogLeftOut(resources.logger));
  const lookBack = composeLookBack(resources, { findUpdated, emitMissed, leftOut });
  const findGone = composeFindGone(resources, enqueueSlowly);
  metrics.watchLeftOut(leftOut.count);
  warnings.add(() => warningsOf(leftOut.describe(), lookBack.inFuture(), findGone.held()));
  runOnTimer(resources, composeSweep(resources, { findUpdated, emitMissed, leftOut, lookBack, findGone }));
}

/**
 * Gives an emission another id if the job of its id was completed before this sweep: that job published the same `updatedAt`,
 * other states were published since, and the appointment has the earlier time again. Queues ignore an id that they keep.
 */
async function withUnusedId(queue: Queue, emission: MissedEmission): Promise<MissedEmission> {
  let { emissionId } = emission;
  for (;;) {
    const job = await queue.getJob(emissionId);
    const finishedAt = job?.finishedOn;
    const isEarlier = finishedAt !== undefined && finishedAt < Date.parse(emission.acceptedAt);
    if (!isEarlier || !(await job?.isCompleted())) return { ...emission, emissionId };
    emissionId = `${emission.emissionId}-${finishedAt}`;
  }
}

/** Finds published appointments whose document was removed without a call. */
function composeFindGone(
  {
    redis,
    models,
    companyKeys,
    publishedKeys: keys,
    clock,
    reportDamage,
    logger,
  }: Resources<WorkerCoreConfig>,
  enqueue: (emissions: readonly MissedEmission[]) => Promise<void>,
): FindGone {
  const logHeld = createThrottledLog(logger, '[InternalSocket] The sweep holds deletions back');
  return createFindGone({
    readPublishedPage: createReadPublishedPage({ redis, keys, companyKeys, reportDamage }),
    findMissing: createFindMissing(models),
    hasAppointments: createHasAppointments(models),
    dropForeign: createDropForeign({ redis, keys, companyKeys, now: clock.now, reportDamage }),
    enqueue,
    onHeld: (held) => {
      logHeld(held, describeHeld(held));
    },
  });
}

/** Looks at the last day again, for writes that the watermark has passed. */
function composeLookBack(
  { models, logger }: Resources<WorkerCoreConfig>,
  { findUpdated, emitMissed, leftOut }: Omit<SweepParts, 'lookBack' | 'findGone'>,
): LookBack {
  const findUnsweepable = createFindUnsweepable(models);
  return createLookBack({
    findUpdated,
    findUnsweepable: (since, limit) =>
      findUnsweepable(since, limit).catch((error: unknown) => {
        logger.debug({ error: errorMessage(error) }, 'the search for rows that no sweep reaches failed');
        return [];
      }),
    emitMissed,
    leftOut,
  });
}

function composeSweep(
  { id, config, redis, shards, reportDamage }: Resources<WorkerCoreConfig>,
  parts: SweepParts,
): ReturnType<typeof createSweep> {
  return createSweep({
    ...parts,
    acquireLease: createAcquireSweepLease({
      redis,
      prefix: config.QUEUE_PREFIX,
      ownerId: id,
      lockMs: Math.max(3 * config.RECONCILE_INTERVAL_MS, MIN_LOCK_MS),
      reportDamage,
    }),
    backlog: () => readBacklog(redis, shards.all()),
  });
}

/** A sweep that fails is logged, and is a warning until the next one succeeds. */
function runOnTimer(
  { config, metrics, warnings, lifecycle, logger }: Resources<WorkerCoreConfig>,
  sweep: ReturnType<typeof createSweep>,
): void {
  let problem: string | undefined;
  warnings.add(() => [problem]);
  const sweepFailed = createThrottledLog(logger, 'the sweep failed; it will try again');
  const { close } = startSweep({
    sweep,
    intervalMs: config.RECONCILE_INTERVAL_MS,
    onReport: (report) => {
      problem = undefined;
      if (report && report.emitted > 0)
        logger.info(report, '[InternalSocket] The sweep found writes that were not announced');
      if (report && report.gone > 0) {
        metrics.foundGone(report.gone);
        logger.info(report, '[InternalSocket] The sweep found deletions that were not announced');
      }
    },
    onFault: (error) => {
      problem = `the sweep fails: ${errorMessage(error)}`;
      sweepFailed({}, error);
    },
  });
  lifecycle.onClose('sweep', close);
}

function describeHeld({ gone, checked }: HeldDeletions): string {
  return (
    `${gone} of ${checked} published appointments are not in MongoDB: the sweep holds their deletions back, for ` +
    'an hour unless the collection is empty; check that it was not dropped or renamed, and the database name'
  );
}

function warningsOf(leftOut: string, inFuture: number, held: HeldDeletions | undefined): string[] {
  return [
    ...(held ? [describeHeld(held)] : []),
    ...(leftOut === ''
      ? []
      : [
          `the sweep leaves out appointments with an unusable field (${leftOut}): it does not find their changes; ` +
            `_id and companyId must be ObjectIds, updatedAt a date`,
        ]),
    ...(inFuture === 0
      ? []
      : [`appointments have an updatedAt in the future (${inFuture}): the clock of a bot is or was ahead`]),
  ];
}

/** Logs rows that the sweep leaves out: the first at once, then at most one line in 10 s with all rows since the line before. */
function createLogLeftOut(flow: Logger) {
  let loggedAt = -Infinity;
  let pending: LeftOutRow[] = [];
  return (rows: readonly LeftOutRow[]): void => {
    pending.push(...rows);
    if (performance.now() - loggedAt < LOG_LEFT_OUT_EVERY_MS) return;
    const appointmentIds = pending
      .flatMap(({ appointmentId }) => appointmentId ?? [])
      .slice(0, MAX_LOGGED_IDS);
    const fields = [...new Set(pending.map(({ field }) => field))];
    flow.warn(
      { rows: pending.length, fields, appointmentIds },
      '[InternalSocket] Rows left out by the sweep',
    );
    loggedAt = performance.now();
    pending = [];
  };
}
