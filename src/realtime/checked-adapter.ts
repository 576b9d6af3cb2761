import { createAdapter } from '@socket.io/redis-adapter';
import { z } from 'zod';
import { RESERVED_EVENT_PREFIX } from '@appointment-emissions/contracts';
import type { RedisClient } from '../redis/connect.ts';
import type { ReportDamage } from '../process/damaged-data.ts';
import { adapterSubscriber } from './adapter-subscriber.ts';
import { isBoundedMsgpack } from './msgpack-bounds.ts';

export interface CheckedAdapterOptions {
  publisher: RedisClient;
  subscriber: RedisClient;
  adapterKey: string;
  reportDamage: ReportDamage;
}

/** Twice the largest message that a worker publishes. */
const MAX_MESSAGE_BYTES = 512 * 1024;
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

/** Socket.IO's packet type EVENT. Packets of other types are never broadcast. */
const EVENT = 2;
/** socket.io-client emits these itself. A broadcast of one would look like a change of its connection. */
const RESERVED_EVENTS = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);
const MAX_EVENT_LENGTH = 128;

const event = z
  .string()
  .min(1)
  .max(MAX_EVENT_LENGTH)
  .refine((name) => !RESERVED_EVENTS.has(name) && !name.startsWith(RESERVED_EVENT_PREFIX));

/** A message of Socket.IO's Redis emitter for `to(room).emit(event, …)`. Unknown fields are removed. */
const broadcast = z.tuple([
  z.string(),
  z.object({ type: z.literal(EVENT), nsp: z.string(), data: z.tuple([event]).rest(z.unknown()) }),
  z.object({ rooms: z.tuple([z.string().min(1)]), except: z.array(z.string()).optional() }),
]);

type Broadcast = z.infer<typeof broadcast>;

/**
 * Returns a decoded Pub/Sub message if it is an event for exactly the room that its channel names, else undefined. So no
 * message can reach all companies, or another company than its channel names.
 */
function parseBroadcast(
  decoded: unknown,
  { channel, adapterKey, namespace }: { channel: string; adapterKey: string; namespace: string },
): Broadcast | undefined {
  const parsed = broadcast.safeParse(decoded);
  if (!parsed.success) return undefined;
  const [, packet, { rooms }] = parsed.data;
  const isAddressed = packet.nsp === namespace && channel === `${adapterKey}#${namespace}#${rooms[0]}#`;
  return isAddressed ? parsed.data : undefined;
}
