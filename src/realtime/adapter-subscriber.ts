import type { RedisClient } from '../redis/connect.ts';

const ignore = (): undefined => undefined;

/**
 * The subscriber as Socket.IO's adapter is given it. The adapter drops the promises of its subscriptions; those that
 * Redis no longer answers when this process ends would count as a crash. Whether we are subscribed is seen elsewhere.
 */
export function adapterSubscriber(subscriber: RedisClient) {
  type Listener = (...args: unknown[]) => void;
  return {
    on: (name: string, listener: Listener) => subscriber.on(name, listener),
    off: (name: string, listener: Listener) => subscriber.off(name, listener),
    subscribe: (channels: string[]) => subscriber.subscribe(...channels).catch(ignore),
    psubscribe: (pattern: string) => subscriber.psubscribe(pattern).catch(ignore),
    unsubscribe: (channels: string[]) => subscriber.unsubscribe(...channels).catch(ignore),
    punsubscribe: (pattern: string) => subscriber.punsubscribe(pattern).catch(ignore),
  };
}
