import type { RedisClient } from '../../redis/connect.ts';

const ignore = (): undefined => undefined;

export interface SubscriberChecks {
  /** Called for each message of a pattern. `read` passes it to the adapter. */
  readMessage: (channel: string, read: () => void) => void;
  /** Called for each message on a channel without a pattern, such as those of requests. The adapter gets none of them. */
  onRequest: (channel: string) => void;
}

type Listener = (...args: unknown[]) => void;

/**
 * Wraps the subscriber for Socket.IO's adapter. The adapter drops the promises of its subscriptions, so a rejected one,
 * for example at the end of the process, would be an unhandled rejection: they are ignored here. `announcePositions`
 * checks the subscription itself.
 */
export function adapterSubscriber(subscriber: RedisClient, { readMessage, onRequest }: SubscriberChecks) {
  const checked = new Map<Listener, Listener>();
  const check = (listener: Listener): Listener => {
    const known = checked.get(listener);
    if (known) return known;
    const checking = (pattern: unknown, from: unknown, message: unknown): void => {
      const channel = String(from);
      readMessage(channel, () => {
        listener(pattern, channel, message);
      });
    };
    checked.set(listener, checking);
    return checking;
  };
  // The adapter of each namespace would listen for requests; this one listener replaces them all.
  subscriber.on('messageBuffer', (channel: Buffer) => {
    onRequest(channel.toString());
  });

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
