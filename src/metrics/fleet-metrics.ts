import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { createMetrics, type Metrics } from './create-metrics.ts';
import { registerFleetGauges } from './fleet-gauges.ts';
import { type Fleet, type Heartbeat, readFleet } from './fleet.ts';
import { type ProgressGauges, registerProgressGauges } from './progress-gauges.ts';
import { type QueueKeys, type QueuesDepth, readQueuesDepth } from './queue-depth.ts';
import { type QueueStates, readQueueStates } from './queue-state.ts';
import { type MetricsReading, readMetrics } from './read-metrics.ts';
import { type MetricsSeries, readSeries } from './read-series.ts';
import { type ReferenceGauge, registerReferenceGauge } from './reference-gauge.ts';
import { shareFor } from './share-for.ts';
import { registerWarningsGauge } from './warnings-gauge.ts';

const HEARTBEAT_INTERVAL_MS = 5_000;
const SHARE_READING_MS = 500;

export interface FleetMetricsDeps {
  redis: RedisClient;
  queues: { live: QueueKeys; bulk: QueueKeys };
  /** Queue prefix, in braces. */
  prefix: string;
  reportDamage: ReportDamage;
  onError: (error: unknown) => void;
}

export interface FleetMetrics extends Metrics, ProgressGauges, ReferenceGauge {
  /** The whole fleet's counts, rates, latencies and the queues' depth. @throws when Redis is away */
  read: () => Promise<MetricsReading & { queue: QueuesDepth & { states: QueueStates } }>;
  /** Queues and processes now, without the counts. @throws when Redis is away */
  state: () => Promise<{ depth: QueuesDepth; states: QueueStates; fleet: Fleet }>;
  /** What was set on the queues. @throws when Redis is away */
  queueStates: () => Promise<QueueStates>;
  /** Adds the number of warnings in `/health`, read at the scrape. */
  watchWarnings: (read: () => Promise<readonly string[]>) => void;
  /** The fleet's last hour by the minute. @throws when Redis is away */
  series: () => Promise<MetricsSeries>;
  /** Says that this process is alive, now and every 5 s, until closed. */
  beat: (describe: () => Heartbeat) => void;
}

/** One process' part in the fleet's metrics: its own counts, and the reading of all. */
export function createFleetMetrics({
  redis,
  queues,
  prefix: queuePrefix,
  reportDamage,
  onError,
}: FleetMetricsDeps): FleetMetrics {
  const prefix = `${queuePrefix.slice(1, -1)}-metrics`;
  const metrics = createMetrics({ redis, prefix, onError });
  const timers: NodeJS.Timeout[] = [];
  const readDepth = () => readQueuesDepth(redis, queues, reportDamage);
  const queueStates = () => readQueueStates(redis, queues);
  const fleetNow = async () => (await readFleet({ redis, prefix, reportDamage })).fleet;
  registerFleetGauges({
    registry: metrics.registry,
    readQueueDepth: readDepth,
    readQueueStates: queueStates,
    readFleet: fleetNow,
  });
  return {
    ...metrics,
    ...registerProgressGauges(metrics.registry),
    ...registerReferenceGauge(metrics.registry),
    read: shareFor(SHARE_READING_MS, async () => {
      const reading = readMetrics({ redis, prefix, reportDamage });
      const [metrics, depth, states] = await Promise.all([reading, readDepth(), queueStates()]);
      return { ...metrics, queue: { ...depth, states } };
    }),
    state: shareFor(SHARE_READING_MS, async () => {
      const [depth, states, fleet] = await Promise.all([readDepth(), queueStates(), fleetNow()]);
      return { depth, states, fleet };
    }),
    queueStates,
    watchWarnings: (read) => {
      registerWarningsGauge(metrics.registry, read);
    },
    series: shareFor(SHARE_READING_MS, () => readSeries({ redis, prefix, reportDamage })),
    beat(describe) {
      metrics.heartbeat(describe());
      timers.push(
        setInterval(() => {
          metrics.heartbeat(describe());
        }, HEARTBEAT_INTERVAL_MS),
      );
    },
    async close() {
      timers.forEach(clearInterval);
      await metrics.close();
    },
  };
}
