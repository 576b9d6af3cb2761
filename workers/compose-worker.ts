import { setTimeout as pause } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { isAppointmentEvent, type QueueName } from '@appointment-emissions/contracts';
import type { EmitAppointmentDeps } from '../src/emission/emit-appointment.ts';
import { createEmitCanary } from '../src/emission/emit-canary.ts';
import { createEncodeMessage, digestOf } from '../src/emission/encode.ts';
import { createPublish } from '../src/emission/publish.ts';
import { createReadSnapshots } from '../src/emission/read-snapshots.ts';
import { createRememberPublished } from '../src/emission/remember-published.ts';
import { createTracePublish, traceReads } from '../src/emission/trace-emissions.ts';
import { errorMessage } from '../src/errors.ts';
import { createNotePublished, parseCanaryJob } from '../src/liveness/canary-job.ts';
import { createLoadAppointments } from '../src/population/load-appointments.ts';
import { isUnavailable } from '../src/process/unavailable.ts';
import { createQuarantine, type Quarantine } from '../src/queue/quarantine.ts';
import type { Resources } from '../src/resources/open-resources.ts';

/** Emissions without a gateway, in a row, before the operator is warned: a single gateway may restart. */
const MIN_UNREACHED = 3;

export interface PipelineOptions {
  /** Whether the digests of published snapshots are kept, for capture. */
  hasDigest: boolean;
  /** Awaited after the reply to each claim. */
  afterClaim?: () => Promise<unknown>;
}

/** Claim, read, confirm and publish. */
export function composePipeline(
  resources: Resources,
  { hasDigest, afterClaim }: PipelineOptions,
): EmitAppointmentDeps {
  const { config, redis, models, companyKeys: keys, clock, metrics, reportDamage, tracing } = resources;
  const load = createLoadAppointments(models);
  const readSnapshots = createReadSnapshots({ redis, keys, load, afterClaim, reportDamage });
  return {
    onLost: () => {
      metrics.orderLost('publish');
    },
    readSnapshots: tracing ? traceReads(readSnapshots, tracing) : readSnapshots,
    tracePublish: tracing && createTracePublish(tracing),
    encode: createEncodeMessage(config.SOCKET_ADAPTER_KEY),
    publish: createPublish(redis, {
      keys,
      logMax: config.COMPANY_LOG_MAX,
      reportDamage,
      onPublished: composeRememberPublished(resources),
    }),
    packReferences: models.packReferences,
    digestOf: hasDigest ? digestOf : undefined,
    isUnavailable,
    pause,
    now: clock.now,
  };
}

/** What all emission workers of a process share, besides the pipeline. */
export function composeWorkerDeps(resources: Resources) {
  const { config, metrics, clock, outages, logger, tracing } = resources;
  return {
    firstRetryDelayMs: config.EMISSION_BACKOFF_MS,
    answerCanary: composeAnswerCanary(resources),
    onPublished: watchGateways(resources),
    pause,
    isUnavailable,
    now: clock.now,
    metrics,
    onError: outages.queue('worker error'),
    flow: logger,
    tracing,
  };
}

function composeRememberPublished(resources: Resources) {
  const { redis, publishedKeys, clock, reportDamage, lifecycle, logger } = resources;
  const { remember, settled } = createRememberPublished({
    redis,
    keys: publishedKeys,
    now: clock.now,
    reportDamage,
    onForgotten: (error) => {
      logger.debug({ error: errorMessage(error) }, 'companies of published appointments were not stored');
    },
  });
  lifecycle.onClose('companies of published appointments', settled);
  return remember;
}

/** Counts emissions that no gateway received. If several do so in a row, the operator gets a warning. */
function watchGateways({ metrics, warnings }: Resources) {
  let unreachedInARow = 0;
  warnings.add(() => [
    unreachedInARow >= MIN_UNREACHED
      ? 'no gateway receives what this worker publishes: run one, with the same Redis, QUEUE_PREFIX and SOCKET_ADAPTER_KEY'
      : undefined,
  ]);
  return (gateways: number | null): void => {
    if (gateways === null) return;
    unreachedInARow = gateways === 0 ? unreachedInARow + 1 : 0;
    if (gateways === 0) metrics.unreached();
  };
}

function composeAnswerCanary({ config, redis }: Resources) {
  const emitCanary = createEmitCanary(redis, config.SOCKET_ADAPTER_KEY);
  const notePublished = createNotePublished({ redis, prefix: config.QUEUE_PREFIX });
  return async (job: unknown): Promise<void> => {
    const canary = parseCanaryJob(job);
    await emitCanary(canary);
    await notePublished(canary);
  };
}

export function composeQuarantine(
  name: QueueName,
  queue: Queue,
  { redis, metrics, reportDamage, logger }: Resources,
): Quarantine {
  return createQuarantine({
    queue,
    redis,
    reportDamage,
    onFailed: (emissionId, event) => {
      if (isAppointmentEvent(event)) metrics.count(event, 'failed', 1, name);
      logger.error(
        { emissionId, code: 'JOB_INVALID' },
        '[InternalSocket] Failed to emit: the job is damaged',
      );
    },
  });
}
