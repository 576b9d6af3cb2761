import type { FleetMetricsReading } from '@appointment-emissions/contracts';
import type { ReportDamage } from '../process/damaged-data.ts';
import type { RedisClient } from '../redis/connect.ts';
import { type CaptureMetrics, registerCaptureMetrics } from './capture-metrics.ts';
import {
  type GatewayMetrics,
  type HttpMetrics,
  registerGatewayMetrics,
  registerHttpMetrics,
} from './client-metrics.ts';
import { createMetrics, type Metrics } from './create-metrics.ts';
import { registerFleetGauges } from './fleet-gauges.ts';
import type { Heartbeat } from './fleet/heartbeat-writer.ts';
import { type Fleet, readFleet } from './fleet/read-fleet.ts';
import { type MetricsSeries, readMetrics, readSeries } from './fleet/read-metrics.ts';
import { type ProcessGauges, registerProcessGauges } from './process-gauges.ts';
import { type QueuesDepth, readQueuesDepth, type ShardKeys } from './queue-depth.ts';
import { mergeStates, type QueueMetaReader, readQueueStates, type ShardStates } from './queue-state.ts';
import { shareFor } from '../batching.ts';

const HEARTBEAT_INTERVAL_MS = 5_000;
const SHARE_READING_MS = 500;

export interface FleetMetricsDeps {
  redis: RedisClient;
  shards: () => readonly (ShardKeys & Record<'live' | 'bulk', QueueMetaReader>)[];
  /** Queue prefix, in braces. */
  prefix: string;
  reportDamage: ReportDamage;
  onError: (error: unknown) => void;
}

export interface FleetMetrics extends Metrics, ProcessGauges, CaptureMetrics, GatewayMetrics, HttpMetrics {
  /** All metrics of the fleet. @throws if Redis is unavailable */
  read: () => Promise<FleetMetricsReading>;
  /** Queues and processes, without the counts. @throws if Redis is unavailable */
  state: () => Promise<{ depth: QueuesDepth; states: ShardStates[]; fleet: Fleet }>;
  /** Restrictions of the queues. @throws if Redis is unavailable */
  queueStates: () => Promise<ShardStates[]>;
  /** The fleet's last hour by the minute. @throws if Redis is unavailable */
  series: () => Promise<MetricsSeries>;
  /** Sends a heartbeat now and every 5 s until `close`. */
  beat: (describe: () => Heartbeat) => void;
}

/** Writes the metrics of this process, and reads those of the fleet. */
export function createFleetMetrics({
  redis,
  shards,
  prefix: queuePrefix,
  reportDamage,
  onError,
}: FleetMetricsDeps): FleetMetrics {
  const prefix = `${queuePrefix.slice(1, -1)}-metrics`;
  const metrics = createMetrics({ redis, prefix, onError });
  const timers: NodeJS.Timeout[] = [];
  const readDepth = () => readQueuesDepth(redis, shards(), reportDamage);
  const queueStates = () => readQueueStates(shards());
  const fleetNow = async () => (await readFleet({ redis, prefix, reportDamage })).fleet;
  registerFleetGauges({
    registry: metrics.registry,
    readQueueDepth: readDepth,
    readQueueStates: async () => mergeStates(await queueStates()),
    readFleet: fleetNow,
  });
  const capture = registerCaptureMetrics(metrics.registry);
  return {
    ...metrics,
    ...registerProcessGauges(metrics.registry),
    ...registerGatewayMetrics(metrics.registry),
    ...registerHttpMetrics(metrics.registry),
    ...capture,
    published(source) {
      capture.published(source);
      metrics.countSource(source);
    },
    read: shareFor(SHARE_READING_MS, async () => {
      const reading = readMetrics({ redis, prefix, reportDamage });
      const [metrics, depth, states] = await Promise.all([reading, readDepth(), queueStates()]);
      return { ...metrics, queue: { ...depth, states: mergeStates(states) } };
    }),
    state: shareFor(SHARE_READING_MS, async () => {
      const [depth, states, fleet] = await Promise.all([readDepth(), queueStates(), fleetNow()]);
      return { depth, states, fleet };
    }),
    queueStates,
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
