import { CANARY, CANARY_NAMESPACE, canaryRoom } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import { createBroadcastEncoder } from './encode-broadcast.ts';

/** Publishes a canary to the gateway that sent it, encoded as emissions are. Resolves once Redis has it. */
export type EmitCanary = (canary: { gatewayId: string; canaryId: string }) => Promise<void>;

/** @throws what Redis throws. */
export function createEmitCanary(redis: RedisClient, adapterKey: string): EmitCanary {
  const encode = createBroadcastEncoder(adapterKey, CANARY_NAMESPACE);
  return async ({ gatewayId, canaryId }) => {
    const { channel, message } = encode(canaryRoom(gatewayId), CANARY, { canaryId });
    await redis.publish(channel, message);
  };
}
