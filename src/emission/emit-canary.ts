import { CANARY, CANARY_NAMESPACE, canaryRoom } from '../contracts/names.ts';
import type { RedisClient } from '../connections.ts';
import { createCapture } from './capture-emitter.ts';

/** Publishes a canary to the gateway that sent it, encoded as emissions are. Resolves once Redis has it. */
export type EmitCanary = (canary: { gatewayId: string; canaryId: string }) => Promise<void>;

/** @throws what Redis throws. */
export function createEmitCanary(redis: RedisClient, adapterKey: string): EmitCanary {
  const encode = createCapture(adapterKey, CANARY_NAMESPACE);
  return async ({ gatewayId, canaryId }) => {
    const { channel, message } = encode(canaryRoom(gatewayId), CANARY, { canaryId });
    await redis.publish(channel, message);
  };
}
