import { CANARY, CANARY_NAMESPACE, canaryRoom } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import { createBroadcastEncoder } from './encode-broadcast.ts';

/** Publishes a canary to the gateway that sent it, encoded like an emission. Resolves when Redis has accepted it. */
export type EmitCanary = (canary: { gatewayId: string; canaryId: string }) => Promise<void>;

/** @throws the errors of Redis */
export function createEmitCanary(redis: RedisClient, adapterKey: string): EmitCanary {
  const encode = createBroadcastEncoder(adapterKey, CANARY_NAMESPACE);
  return async ({ gatewayId, canaryId }) => {
    const { channel, message } = encode({ to: canaryRoom(gatewayId) }, CANARY, { canaryId });
    await redis.publish(channel, message);
  };
}
