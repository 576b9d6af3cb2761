/**
 * The Socket.IO room of a company. Each dashboard joins exactly one room, which the `companyId` in its signed token decides.
 *
 * @param companyId 24 hexadecimal characters
 * @example
 * ```ts
 * companyRoom('65f0c0ffee65f0c0ffee00c0'); // 'company:65f0c0ffee65f0c0ffee00c0'
 * ```
 */
export function companyRoom(companyId: string): string {
  return `company:${companyId}`;
}

/** The room of a gateway's own probe socket, in {@link CANARY_NAMESPACE}. The gateway receives its canaries there. */
export function canaryRoom(gatewayId: string): string {
  return `canary:${gatewayId}`;
}

/**
 * The default of `SOCKET_ADAPTER_KEY`: prefix of the Redis channels between workers and gateways.
 *
 * Redis Pub/Sub ignores database numbers. The key contains the number, so that two fleets on different databases of
 * one Redis do not receive each other's messages.
 *
 * @param queuePrefix prefix of the queues, braces included
 */
export function defaultAdapterKey(database: number, queuePrefix: string): string {
  return `socket.io:${database}:${queuePrefix}`;
}

/** Queue for single (live) emissions. */
export const QUEUE_NAME = 'appointment-emissions';
/** Queue for bulk emissions: batches, repairs and missed writes that the sweep finds. */
export const BULK_QUEUE_NAME = 'appointment-emissions-bulk';

/**
 * Names of the two queues of a shard. Those of shard 0 have no number.
 * @example queueNames(2) // { live: 'appointment-emissions-2', bulk: 'appointment-emissions-bulk-2' }
 */
export function queueNames(shard: number): { live: string; bulk: string } {
  const suffix = shard === 0 ? '' : `-${shard}`;
  return { live: `${QUEUE_NAME}${suffix}`, bulk: `${BULK_QUEUE_NAME}${suffix}` };
}

/** Socket.IO namespace of the dashboards. */
export const DASHBOARD_NAMESPACE = '/';
/** Socket.IO namespace of services that emit over a socket, such as the bot library's fallback. */
export const INTERNAL_NAMESPACE = '/internal';
/** Socket.IO namespace in which a gateway receives its own canaries. Private to the pipeline. */
export const CANARY_NAMESPACE = '/canary';
/** Name of canary jobs and of the event that they publish. */
export const CANARY = 'canary';

/** W3C `traceparent` header: version, trace id, parent id, flags. */
export const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** An ObjectId as text: 24 hexadecimal characters in either case. */
export const OBJECT_ID = /^[0-9a-f]{24}$/i;

/** Prefix of the events that a gateway itself sends to its sockets. They are never published through Redis. */
export const RESERVED_EVENT_PREFIX = 'emissions:';
