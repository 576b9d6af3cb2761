/**
 * The room of one company. A socket joins exactly this room, named by its signed claim.
 * @param companyId 24 hex characters
 */
export function companyRoom(companyId: string): string {
  return `company:${companyId}`;
}

/** The room of one gateway's own socket, in its own namespace: canaries come back to it. */
export function canaryRoom(gatewayId: string): string {
  return `canary:${gatewayId}`;
}

/**
 * First part of the channels between a fleet's workers and gateways, where none is set. Pub/Sub does not know databases,
 * so the database's number is part of it: two fleets on one Redis never receive each other's messages.
 * @param queuePrefix with its braces
 */
export function defaultAdapterKey(database: number, queuePrefix: string): string {
  return `socket.io:${database}:${queuePrefix}`;
}

/** Where what somebody waits for stands: single emissions. */
export const QUEUE_NAME = 'appointment-emissions';
/** Where what nobody waits for stands: batches, repairs of many, what the sweep finds. */
export const BULK_QUEUE_NAME = 'appointment-emissions-bulk';
export const DASHBOARD_NAMESPACE = '/';
export const INTERNAL_NAMESPACE = '/internal';
export const CANARY_NAMESPACE = '/canary';
/** Name of the canaries' jobs, and of their event. */
export const CANARY = 'canary';

/** W3C Trace Context: version, trace id, parent id, flags. */
export const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** An ObjectId as it crosses a process: 24 hexadecimal characters. */
export const OBJECT_ID = /^[0-9a-f]{24}$/i;

/** Events with this prefix are the gateway's own words to its sockets; none is published through Redis. */
export const RESERVED_EVENT_PREFIX = 'emissions:';
