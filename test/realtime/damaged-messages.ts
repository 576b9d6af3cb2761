import { createRequire } from 'node:module';
import { createEncodeMessage } from '../../src/emission/encode.ts';

const { encode } = createRequire(import.meta.resolve('@socket.io/redis-emitter'))('notepack.io') as {
  encode: (value: unknown) => Buffer;
};

const APPOINTMENT_UPDATED = 'appointment:updated';
const repeated = (byte: number, times: number): Buffer => Buffer.alloc(times, byte);
const bytes = (...values: number[]): Buffer => Buffer.from(values);
const deepArray = (depth: number): unknown => {
  let value: unknown = 1;
  for (let left = depth; left > 0; left -= 1) value = [value];
  return value;
};

/** Messages on the channel of `room` in `namespace` that must be dropped. */
export function damagedMessages(namespace: string, room: string): [what: string, message: Buffer | string][] {
  const packet = (over: object = {}) => ({
    type: 2,
    nsp: namespace,
    data: [APPOINTMENT_UPDATED, {}],
    ...over,
  });
  const opts = (over: object = {}) => ({ rooms: [room], except: [], flags: {}, ...over });
  const named = (name: unknown) => encode(['x', packet({ data: [name, {}] }), opts()]);
  const own = (over: object) => encode(['x', packet(), opts(over)]);
  return [
    ['text', 'garbage'],
    ['nothing', ''],
    ['JSON', '{"type":2}'],
    ['a brace', '{'],
    ['a number', encode(1)],
    ['null', encode(null)],
    ['an empty array', encode([])],
    ['a map', encode({ uid: 'x' })],
    ['no packet', encode(['x'])],
    ['a packet that is text', encode(['x', 'packet', opts()])],
    ['no options', encode(['x', packet()])],
    ['options that are null', encode(['x', packet(), null])],
    ['a number for the sender', encode([1, packet(), opts()])],
    ['something after the options', encode(['x', packet(), opts(), 1])],
    ['two values', Buffer.concat([encode(['x', packet(), opts()]), encode(1)])],
    ['half a message', encode(['x', packet(), opts()]).subarray(0, 20)],
    ['rooms that are a number', own({ rooms: 1 })],
    ['rooms that are text', own({ rooms: room })],
    ['a room that is a number', own({ rooms: [1] })],
    ['no room, so all companies', own({ rooms: [] })],
    ['no rooms', own({ rooms: undefined })],
    ['another room', own({ rooms: ['company:ffffffffffffffffffffffff'] })],
    ['two rooms', own({ rooms: [room, 'company:ffffffffffffffffffffffff'] })],
    ['exceptions that are a number', own({ except: 1 })],
    ...[0, 1, 3, 4, 5, 6, -1, 99, '2', null].map((type): [string, Buffer] => [
      `a packet of type ${JSON.stringify(type)}`,
      encode(['x', packet({ type }), opts()]),
    ]),
    ['no data', encode(['x', packet({ data: undefined }), opts()])],
    ['data that is a map', encode(['x', packet({ data: {} }), opts()])],
    ['data that is text', encode(['x', packet({ data: APPOINTMENT_UPDATED }), opts()])],
    ['data that is empty', encode(['x', packet({ data: [] }), opts()])],
    ['a number for the event', named(1)],
    ['a map for the event', named({ toString: 1 })],
    ['no name for the event', named('')],
    ['a huge name for the event', named('x'.repeat(10_000))],
    ['the event connect', named('connect')],
    ['the event connect_error', named('connect_error')],
    ['the event disconnect', named('disconnect')],
    ['the event disconnecting', named('disconnecting')],
    ['the event newListener', named('newListener')],
    ['a position, which is the gateway’s word', named('emissions:position')],
    [
      'data that is huge',
      encode(['x', packet({ data: [APPOINTMENT_UPDATED, 'x'.repeat(600_000)] }), opts()]),
    ],
    ['data that is deep', encode(['x', packet({ data: [APPOINTMENT_UPDATED, deepArray(2_000)] }), opts()])],
    ['a hundred thousand nested arrays', repeated(0x91, 100_000)],
    ['an array of four billion', bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['a map of four billion', bytes(0xdf, 0xff, 0xff, 0xff, 0xff)],
    [
      'arrays of thirty million in each other',
      Buffer.concat(Array(60).fill(bytes(0xdd, 1, 0xc9, 0xc3, 0x80))),
    ],
    ['an extension of four gigabytes', bytes(0x91, 0xc9, 0xff, 0xff, 0xff, 0xff, 0)],
    ['binary of four gigabytes', bytes(0x91, 0xc6, 0xff, 0xff, 0xff, 0xff)],
    ['text of four gigabytes', bytes(0x91, 0xdb, 0xff, 0xff, 0xff, 0xff)],
    ['the byte that msgpack never uses', bytes(0xc1)],
    ['a date for a prototype', withDateAsPrototype(namespace, room)],
  ];
}

/** JSON would call `toJSON` of the date on an invalid date. */
function withDateAsPrototype(namespace: string, room: string): Buffer {
  const value: Record<string, unknown> = {};
  Object.defineProperty(value, '__proto__', { value: new Date(0), enumerable: true });
  const packet = { type: 2, nsp: namespace, data: [APPOINTMENT_UPDATED, value] };
  return encode(['x', packet, { rooms: [room], except: [], flags: {} }]);
}

/** On the adapter's channels of requests and responses: no process of ours sends one. */
export function forgedRequests(socketId: string, room: string): (Buffer | string)[] {
  const opts = { rooms: [], except: [] };
  const json = (value: unknown) => JSON.stringify(value);
  return [
    ...Array.from({ length: 12 }, (_, type) => json({ type, requestId: 'x' })),
    json({ type: 5, requestId: 'x' }),
    json({ type: 2, requestId: 'x', sid: socketId, room }),
    json({ type: 2, opts, rooms: [room] }),
    json({ type: 3, opts, rooms: [room] }),
    json({ type: 3, requestId: 'x', sid: socketId, room }),
    json({ type: 4, opts, close: true }),
    json({ type: 4, requestId: 'x', sid: socketId, close: true }),
    json({ type: 6, uid: 'x', data: 1 }),
    json({ type: 6, uid: 'x', requestId: 'x' }),
    json({ type: 7, requestId: 'x', opts, packet: { type: 1 } }),
    'null',
    '{',
    '[]',
    'garbage',
    '',
    encode(null),
    encode({ type: 7, requestId: 'x' }),
    encode({ type: 4, opts, close: true }),
  ];
}

/** A broadcast of the canary's event, as a worker sends it, with other content. */
export const canaryMessage = (room: string, given: readonly unknown[]): Buffer =>
  encode([
    'x',
    { type: 2, nsp: '/canary', data: ['canary', ...given] },
    { rooms: [room], except: [], flags: {} },
  ]);

/** A broadcast that requests an acknowledgement, and may be dropped. */
export const messageWithOtherFields = (room: string, data: readonly unknown[]): Buffer =>
  encode(['x', { type: 2, nsp: '/', data, id: 7 }, { rooms: [room], except: [], flags: { volatile: true } }]);

/** As a worker publishes it, with a snapshot of one field. */
export const goodMessage = (adapterKey: string, companyId: string, appointmentId: string) => {
  const { channel, head, tail } = createEncodeMessage(adapterKey)(
    { _id: appointmentId, companyId },
    { emissionId: 'good', event: APPOINTMENT_UPDATED, attempt: 1, acceptedAt: '', publishedAt: '' },
    { claimedToken: 'c'.repeat(16), readId: 'r'.repeat(16) },
  );
  const place = Buffer.concat([encode('e'.repeat(16)), encode('offset'), encode(2 ** 33)]);
  return { channel, message: Buffer.concat([head, place, tail]) };
};
