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

/** A message of Socket.IO's Redis emitter for `to(room).emit(event, …)`, without other fields. */
export type Broadcast = [
  sender: string,
  packet: { type: typeof EVENT; nsp: string; data: [event: string, ...unknown[]] },
  options: { rooms: [room: string]; except?: string[] | undefined },
];

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
  const broadcast = parseBroadcast(decode(message));
  if (!broadcast) return undefined;
  const [, { nsp }, { rooms }] = broadcast;
  return nsp === namespace && channel === `${adapterKey}#${namespace}#${rooms[0]}#` ? broadcast : undefined;
}

/** Without zod, which takes several times as long: a gateway does this for each message of each company that it serves. */
function parseBroadcast(decoded: unknown): Broadcast | undefined {
  if (!Array.isArray(decoded) || decoded.length !== 3) return undefined;
  const [sender, packet, options] = decoded as unknown[];
  const { type, nsp, data } = fieldsOf(packet);
  const { rooms, except } = fieldsOf(options);
  const isPacket = typeof sender === 'string' && type === EVENT && typeof nsp === 'string' && isEvent(data);
  if (!isPacket || !isOneRoom(rooms)) return undefined;
  if (except !== undefined && !isTexts(except)) return undefined;
  return [sender, { type, nsp, data }, { rooms: [rooms[0]], except }];
}

function isEvent(data: unknown): data is Broadcast[1]['data'] {
  const name: unknown = Array.isArray(data) ? data[0] : undefined;
  if (typeof name !== 'string' || name === '' || name.length > MAX_EVENT_LENGTH) return false;
  return !RESERVED_EVENTS.has(name) && !name.startsWith(RESERVED_EVENT_PREFIX);
}

function isOneRoom(rooms: unknown): rooms is [string] {
  return isTexts(rooms) && rooms.length === 1 && rooms[0] !== '';
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
