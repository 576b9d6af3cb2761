import { randomBytes } from 'node:crypto';
import type { ApiConfig } from '../config.ts';
import { errorMessage } from '../errors.ts';
import { type Canary, startCanary } from '../liveness/canary.ts';
import { createCanaryQueue } from '../liveness/canary-job.ts';
import { attachCanaryNamespace, connectProbeSocket } from '../liveness/canary-socket.ts';
import type { DashboardServer } from '../realtime/dashboard-server.ts';
import type { Resources } from '../resources/open-resources.ts';

/**
 * Starts this gateway's canary: it enqueues the jobs and receives them on a socket of its own.
 * @param port  on which this process listens
 */
export function startGatewayCanary(
  { id: gatewayId, config, redis, shards, metrics, lifecycle, logger }: Resources<ApiConfig>,
  io: DashboardServer,
  port: number,
): Canary {
  const secret = randomBytes(32).toString('base64url');
  attachCanaryNamespace({ io, gatewayId, secret });
  const { send, fateOf } = createCanaryQueue({
    queue: shards.first.live,
    redis,
    prefix: config.QUEUE_PREFIX,
    gatewayId,
  });
  const canary = startCanary({
    intervalMs: config.CANARY_INTERVAL_MS,
    send,
    fateOf,
    onReceived: metrics.canaryReturned,
    onFault: (error) => {
      logger.debug({ error: errorMessage(error) }, 'no canary was sent');
    },
  });
  metrics.watchProgress('gateway', canary.sinceReceivedMs);
  const probe = connectProbeSocket({
    port,
    secret,
    transports: config.SOCKET_TRANSPORTS,
    onCanary: canary.receive,
  });
  lifecycle.onClose('canary', () => {
    canary.close();
    probe.close();
  });
  return canary;
}
