import { z } from 'zod';
import { RESERVED_EVENT_PREFIX } from '@appointment-emissions/contracts';

/** Socket.IO's packet type EVENT. All others end, refuse or acknowledge something, and are never broadcast. */
const EVENT = 2;
/** socket.io-client emits these itself: a broadcast of one would look like a change of its connection. */
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

/** What Socket.IO's Redis emitter publishes for `to(room).emit(event, …)`; anything else of it is left out. */
const broadcast = z.tuple([
  z.string(),
  z.object({ type: z.literal(EVENT), nsp: z.string(), data: z.tuple([event]).rest(z.unknown()) }),
  z.object({ rooms: z.tuple([z.string().min(1)]), except: z.array(z.string()).optional() }),
]);

export type Broadcast = z.infer<typeof broadcast>;

/**
 * A decoded Pub/Sub message, if it is an event for exactly the room that its channel names; else `undefined`. So a
 * message can reach neither all companies at once nor another company than its channel says.
 */
export function parseBroadcast(
  decoded: unknown,
  { channel, adapterKey, namespace }: { channel: string; adapterKey: string; namespace: string },
): Broadcast | undefined {
  const parsed = broadcast.safeParse(decoded);
  if (!parsed.success) return undefined;
  const [, packet, { rooms }] = parsed.data;
  const isAddressed = packet.nsp === namespace && channel === `${adapterKey}#${namespace}#${rooms[0]}#`;
  return isAddressed ? parsed.data : undefined;
}
