import type { RedisClient } from '../redis/connect.ts';

const ignore = (): undefined => undefined;

export interface SubscriberChecks {
  /** Called for each message of a pattern; `read` hands it to the adapter. */
  readMessage: (channel: string, read: () => void) => void;
  /** A message on a channel of the adapter's requests and responses; the adapter never sees one. */
  onRequest: () => void;
}

type Listener = (...args: unknown[]) => void;

/**
 * The subscriber as Socket.IO's adapter is given it. The adapter drops the promises of its subscriptions; those that
 * Redis no longer answers when this process ends would count as a crash. Whether we are subscribed is seen elsewhere.
 */
export function adapterSubscriber(subscriber: RedisClient, { readMessage, onRequest }: SubscriberChecks) {
  const checked = new Map<Listener, Listener>();
  const check = (listener: Listener): Listener => {
    const known = checked.get(listener);
    if (known) return known;
    const checking = (...args: unknown[]): void => {
      readMessage(String(args[1]), () => {
        listener(...args);
      });
    };
    checked.set(listener, checking);
    return checking;
  };
  // Each namespace's adapter listens for requests; one listener of ours stands for all of them.
  subscriber.on('messageBuffer', onRequest);

  return {
    on(name: string, listener: Listener) {
      if (name === 'messageBuffer') return;
      subscriber.on(name, name === 'pmessageBuffer' ? check(listener) : listener);
    },
    off(name: string, listener: Listener) {
      if (name === 'messageBuffer') return;
      subscriber.off(name, name === 'pmessageBuffer' ? check(listener) : listener);
    },
    subscribe: (channels: string[]) => subscriber.subscribe(...channels).catch(ignore),
    psubscribe: (pattern: string) => subscriber.psubscribe(pattern).catch(ignore),
    unsubscribe: (channels: string[]) => subscriber.unsubscribe(...channels).catch(ignore),
    punsubscribe: (pattern: string) => subscriber.punsubscribe(pattern).catch(ignore),
  };
}
