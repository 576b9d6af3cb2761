import { Emitter } from '@socket.io/redis-emitter';

/** What the Redis emitter would have published. */
export interface EncodedBroadcast {
  channel: string;
  message: Buffer;
}

/**
 * Encodes through Socket.IO's Redis emitter. The emitter drops the promise of its PUBLISH, so it is given a client
 * that only captures what would be published; who asked for it publishes it, and its failure fails the job.
 */
export function createBroadcastEncoder(adapterKey: string, namespace: string) {
  let last: EncodedBroadcast = { channel: '', message: Buffer.alloc(0) };
  const captured = {
    publish(channel: string, message: Buffer): void {
      last = { channel, message };
    },
  };
  const emitter = new Emitter<Record<string, (...args: unknown[]) => void>>(
    captured,
    { key: adapterKey },
    namespace,
  );
  return (room: string, event: string, ...args: unknown[]): EncodedBroadcast => {
    emitter.to(room).emit(event, ...args);
    return last;
  };
}
