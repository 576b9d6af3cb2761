import { createAdapter } from '@socket.io/redis-adapter';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { adapterSubscriber } from './adapter-subscriber.ts';
import { parseBroadcast } from './parse-broadcast.ts';
import { isBoundedMsgpack } from './msgpack-bounds.ts';

export interface CheckedAdapterOptions {
  publisher: RedisClient;
  subscriber: RedisClient;
  adapterKey: string;
  reportDamage: ReportDamage;
}

/** Twice the largest message that a worker publishes. */
const MAX_MESSAGE_BYTES = 512 * 1024;
/** What the adapter ignores: it takes a message without a packet for one of another namespace. */
const NOTHING: readonly unknown[] = [];

/**
 * Socket.IO's Redis adapter, which trusts what it receives, behind checks. A message that is not a broadcast to the one
 * room of its channel is dropped and reported, before the adapter sees it. Requests of other servers (join, leave,
 * disconnect, fetch sockets, server-side emit) are all dropped: no process of ours sends one, and a forged one could
 * move sockets between companies. Code that wants `socketsJoin`, `fetchSockets` and the like must use `io.local`.
 */
export function createCheckedAdapter({
  publisher,
  subscriber,
  adapterKey,
  reportDamage,
}: CheckedAdapterOptions) {
  /** Of the message that the adapter is reading: it reads each one in the call that hands it over. */
  let channel = '';

  const checkedSubscriber = adapterSubscriber(subscriber, {
    readMessage(from, read) {
      channel = from;
      try {
        read();
      } catch {
        // It decoded, but could not be encoded for the sockets.
        reportDamage('message');
      }
    },
    onRequest() {
      reportDamage('request');
    },
  });
  const create = createAdapter(publisher, checkedSubscriber, { key: adapterKey });

  // Socket.IO calls it with `new`, which an arrow function refuses.
  return function checkedAdapter(namespace: { name: string }) {
    const adapter = create(namespace);
    const { decode } = adapter.parser;
    const checkedDecode = (message: Buffer): unknown => {
      if (message.length <= MAX_MESSAGE_BYTES && isBoundedMsgpack(message)) {
        const broadcast = parseBroadcast(decode(message), { channel, adapterKey, namespace: namespace.name });
        if (broadcast) return broadcast;
      }
      reportDamage('message');
      return NOTHING;
    };
    return Object.assign(adapter, { parser: { ...adapter.parser, decode: checkedDecode } });
  };
}
