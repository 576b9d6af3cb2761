import { z } from 'zod';
import { RESERVED_EVENT_PREFIX } from '@appointment-emissions/contracts';
import { isBoundedMsgpack } from './msgpack-bounds.ts';

/** Twice the largest message that a worker publishes. */
const MAX_MESSAGE_BYTES = 512 * 1024;
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

/** A message for the room of a company, or for another room: `[sender, packet, rooms]`. */
export type Broadcast = z.infer<typeof broadcast>;

/** Where a message was received. */
interface Origin {
  channel: string;
  adapterKey: string;
  namespace: string;
}

/**
 * Returns a Pub/Sub message, decoded, if it is an event for exactly the room that its channel names, else undefined. So no
 * message can reach all companies, or another company than its channel names.
 * @throws what `decode` throws for a message that is not MessagePack
 */
export function readBroadcast(
  message: Buffer,
  decode: (message: Buffer) => unknown,
  { channel, adapterKey, namespace }: Origin,
): Broadcast | undefined {
  if (message.length > MAX_MESSAGE_BYTES || !isBoundedMsgpack(message)) return undefined;
  const parsed = broadcast.safeParse(decode(message));
  if (!parsed.success) return undefined;
  const [, packet, { rooms }] = parsed.data;
  const isAddressed = packet.nsp === namespace && channel === `${adapterKey}#${namespace}#${rooms[0]}#`;
  return isAddressed ? parsed.data : undefined;
}
