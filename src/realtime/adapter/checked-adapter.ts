import { createAdapter } from '@socket.io/redis-adapter';
import type { RedisClient } from '../../redis/connect.ts';
import type { ReportDamage } from '../../process/damaged-data.ts';
import { adapterSubscriber } from './subscriber.ts';
import { readBroadcast } from './read-broadcast.ts';

export interface CheckedAdapterOptions {
  publisher: RedisClient;
  subscriber: RedisClient;
  adapterKey: string;
  reportDamage: ReportDamage;
}

/** The adapter ignores it: without a packet it is of no namespace. */
const NOTHING: readonly unknown[] = [];

/**
 * Socket.IO's Redis adapter, which trusts all messages, behind checks. A message that is not a broadcast to the one room
 * of its channel is dropped and reported before the adapter reads it. All requests of other servers (join, leave,
 * disconnect, fetch sockets, server-side emit) are dropped: our processes send none, and a forged one could move sockets
 * between companies. Code that needs `socketsJoin`, `fetchSockets` and so on must use `io.local`.
 */
export function createCheckedAdapter({
  publisher,
  subscriber,
  adapterKey,
  reportDamage,
}: CheckedAdapterOptions) {
  /** Of the message that the adapter reads. It reads each one synchronously. */
  let channel = '';

  const checkedSubscriber = adapterSubscriber(subscriber, {
    readMessage(from, read) {
      channel = from;
      try {
        read();
      } catch {
        // The message was decoded, but cannot be encoded for the sockets.
        reportDamage('message');
      }
    },
    onRequest() {
      reportDamage('request');
    },
  });
  const create = createAdapter(publisher, checkedSubscriber, { key: adapterKey });

  // Socket.IO calls it with `new`, so it cannot be an arrow function.
  return function checkedAdapter(namespace: { name: string }) {
    const adapter = create(namespace);
    const { decode } = adapter.parser;
    const checkedDecode = (message: Buffer): unknown => {
      const broadcast = readBroadcast(message, decode, { channel, adapterKey, namespace: namespace.name });
      if (!broadcast) reportDamage('message');
      return broadcast ?? NOTHING;
    };
    return Object.assign(adapter, { parser: { ...adapter.parser, decode: checkedDecode } });
  };
}
