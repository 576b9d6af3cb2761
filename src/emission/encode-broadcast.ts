import { Emitter } from '@socket.io/redis-emitter';

/** A message as Socket.IO's Redis emitter would publish it. */
export interface EncodedBroadcast {
  channel: string;
  message: Buffer;
}

/**
 * Encodes with Socket.IO's Redis emitter. The emitter drops the promise of its PUBLISH, so it gets a client that only
 * keeps the message. The caller publishes it and awaits the result.
 */
export function createBroadcastEncoder(adapterKey: string, namespace: string) {
  let last: EncodedBroadcast = { channel: '', message: Buffer.alloc(0) };
  const keepLast = {
    publish(channel: string, message: Buffer): void {
      last = { channel, message };
    },
  };
  const emitter = new Emitter<Record<string, (...args: unknown[]) => void>>(
    keepLast,
    { key: adapterKey },
    namespace,
  );
  return (rooms: { to: string; except?: string }, event: string, ...args: unknown[]): EncodedBroadcast => {
    emitter
      .to(rooms.to)
      .except(rooms.except ?? [])
      .emit(event, ...args);
    return last;
  };
}
