import { createAdapter } from '@socket.io/redis-adapter';
import { DASHBOARD_NAMESPACE } from '@appointment-emissions/contracts';
import type { RedisClient } from '../../redis/connect.ts';
import type { ReportDamage } from '../../process/damaged-data.ts';
import type { DeliverInPieces } from './deliver-in-pieces.ts';
import { adapterSubscriber } from './subscriber.ts';
import { type Broadcast, readBroadcast } from './read-broadcast.ts';
import type { TraceDelivery } from './trace-deliveries.ts';

export interface CheckedAdapterOptions {
  publisher: RedisClient;
  subscriber: RedisClient;
  adapterKey: string;
  reportDamage: ReportDamage;
  /**
   * Called with each checked message for dashboards, before its room gets it. Sends it to the sockets that must not get it whole,
   * and returns the rooms of these sockets: the broadcast excludes them.
   */
  deliverScoped: (broadcast: Broadcast) => readonly string[];
  deliverInPieces: DeliverInPieces;
  traceDelivery?: TraceDelivery | undefined;
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
  deliverScoped,
  deliverInPieces,
  traceDelivery,
}: CheckedAdapterOptions) {
  /** Of the message that the adapter reads. It reads each one synchronously. */
  let channel = '';
  let endTrace: (() => void) | undefined;

  const checkedSubscriber = adapterSubscriber(subscriber, {
    readMessage(from, read) {
      channel = from;
      try {
        read();
      } catch {
        // The message was decoded, but cannot be encoded for the sockets.
        reportDamage('message');
      } finally {
        endTrace?.();
        endTrace = undefined;
      }
    },
    onRequest(from) {
      // Those of requests and responses. Other parts of this process subscribe to channels of their own.
      if (from.startsWith(`${adapterKey}-re`)) reportDamage('request');
    },
  });
  const create = createAdapter(publisher, checkedSubscriber, { key: adapterKey });

  // Socket.IO calls it with `new`, so it cannot be an arrow function.
  return function checkedAdapter(namespace: { name: string }) {
    const adapter = create(namespace);
    const { decode } = adapter.parser;
    const checkedDecode = (message: Buffer): unknown => {
      const broadcast = readBroadcast(message, decode, { channel, adapterKey, namespace: namespace.name });
      if (!broadcast) {
        reportDamage('message');
        return NOTHING;
      }
      if (namespace.name !== DASHBOARD_NAMESPACE) return broadcast;
      const [sender, packet, rooms] = broadcast;
      endTrace = traceDelivery?.(broadcast, adapter.rooms.get(rooms.rooms[0])?.size ?? 0);
      // If it throws, no socket gets the message.
      const except = deliverScoped(broadcast);
      return deliverInPieces(broadcast, except) ? NOTHING : [sender, packet, { ...rooms, except }];
    };
    return Object.assign(adapter, { parser: { ...adapter.parser, decode: checkedDecode } });
  };
}
