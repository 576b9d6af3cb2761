import { randomBytes } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { ApiConfig } from '../config.ts';
import type { RedisClient } from '../redis/connect.ts';
import { errorMessage } from '../errors.ts';
import type { Lifecycle } from '../process/lifecycle.ts';
import { type Canary, startCanary } from '../liveness/canary.ts';
import { connectProbeSocket } from '../liveness/connect-probe-socket.ts';
import type { Logger } from '../process/logger.ts';
import type { FleetMetrics } from '../metrics/fleet-metrics.ts';
import { createCanaryQueue } from '../liveness/canary-job.ts';
import { attachCanaryNamespace } from '../liveness/canary-namespace.ts';
import type { DashboardServer } from '../realtime/create-io.ts';

export interface GatewayCanaryParts {
  io: DashboardServer;
  gatewayId: string;
  /** Where this process listens. */
  port: number;
  queue: Queue;
  redis: RedisClient;
  metrics: FleetMetrics;
  config: ApiConfig;
  lifecycle: Lifecycle;
  logger: Logger;
}

/** Composition root of this gateway's canary: its sender, its own socket, and what is told of it. */
export function startGatewayCanary(parts: GatewayCanaryParts): Canary {
  const { io, gatewayId, port, queue, redis, metrics, config, lifecycle, logger } = parts;
  const secret = randomBytes(32).toString('base64url');
  attachCanaryNamespace({ io, gatewayId, secret });

  const { send, fateOf } = createCanaryQueue({ queue, redis, prefix: config.QUEUE_PREFIX, gatewayId });
  const canary = startCanary({
    intervalMs: config.CANARY_INTERVAL_MS,
    send,
    fateOf,
    onHeard: metrics.canaryReturned,
    onFault: (error) => {
      logger.debug({ error: errorMessage(error) }, 'no canary was sent');
    },
  });
  metrics.watchProgress('gateway', canary.sinceHeardMs);
  const ear = connectProbeSocket({
    port,
    secret,
    transports: config.SOCKET_TRANSPORTS,
    onCanary: canary.heard,
  });
  lifecycle.onClose('canary', () => {
    canary.close();
    ear.close();
  });
  return canary;
}
