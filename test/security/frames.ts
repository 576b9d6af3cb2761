import fc from 'fast-check';
import { encodeFrame } from './raw-websocket.ts';

const EVENTS = [
  'emissions:catch-up',
  'emissions:seen',
  'emit',
  'appointment:created',
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'error',
  'newListener',
  'removeListener',
  '__proto__',
  'constructor',
  'toString',
];
const deep = fc.integer({ min: 1, max: 3_000 }).map((depth) => `${'['.repeat(depth)}1${']'.repeat(depth)}`);
const polluting = fc.constantFrom(
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"_placeholder":true,"num":0}',
  '{"_placeholder":true,"num":-1}',
  '{"_placeholder":true,"num":"__proto__"}',
);
const argument = fc.oneof(fc.json(), deep, polluting);
const ack = fc.oneof(
  fc.constant(''),
  fc.integer({ min: 0, max: 99 }).map(String),
  fc.constantFrom('9'.repeat(30), '9'.repeat(400), '-1', '1e5'),
);
const namespace = fc.constantFrom(
  '',
  '',
  '',
  '/,',
  '/internal,',
  '/canary,',
  '/__proto__,',
  '/admin?x=1,',
  '/a',
);
const attachments = fc.oneof(
  fc.integer({ min: 0, max: 3 }).map((count) => `${count}-`),
  fc.constantFrom('99999999999-', '-', 'x-', '1'),
);
/** A Socket.IO packet: its type, attachments that were perhaps never sent, namespace, id and arguments. */
const packet = fc
  .tuple(
    fc.constantFrom('0', '1', '2', '2', '2', '3', '4', '5', '6', '7', ''),
    attachments,
    namespace,
    ack,
    fc.constantFrom(...EVENTS),
    fc.array(argument, { maxLength: 3 }),
  )
  .map(([type, count, nsp, id, event, args]) => {
    const counted = type === '5' || type === '6' ? count : '';
    return `${type}${counted}${nsp}${id}[${[JSON.stringify(event), ...args].join(',')}]`;
  });
/** A well-formed packet of an event that the gateway handles: only its arguments can be invalid. */
const requests = fc
  .tuple(
    fc.constantFrom('emissions:catch-up', 'emissions:catch-up', 'emissions:seen', 'emit'),
    fc.oneof(fc.constant(''), fc.integer({ min: 0, max: 99 }).map(String)),
    fc.array(argument, { maxLength: 3 }),
  )
  .map(([event, id, args]) => `42${id}[${[JSON.stringify(event), ...args].join(',')}]`);
/** What is handed over when a namespace is joined. */
const auth = fc
  .oneof(
    fc.constant(''),
    fc.json(),
    fc.record({ token: fc.anything(), position: fc.anything() }).map((shape) => JSON.stringify(shape)),
    fc.record({ apiKey: fc.anything() }).map((shape) => JSON.stringify(shape)),
    polluting,
    deep,
  )
  .chain((shape) => namespace.map((nsp) => `0${nsp}${shape}`));
/** An Engine.IO packet. */
export const message = fc.oneof(
  { weight: 6, arbitrary: packet.map((text) => `4${text}`) },
  { weight: 2, arbitrary: auth.map((text) => `4${text}`) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom('0', '1', '2probe', '3', '3probe', '5', '6', '7', 'b', '4', '') },
  { weight: 1, arbitrary: fc.integer({ min: 10_000, max: 40_000 }).map((size) => `4${'x'.repeat(size)}`) },
);
export const textFrame = (text: string): Buffer => encodeFrame({ opcode: 1, payload: Buffer.from(text) });
const frame = fc.oneof(
  { weight: 40, arbitrary: message.map(textFrame) },
  {
    weight: 4,
    arbitrary: fc
      .uint8Array({ maxLength: 200 })
      .map((bytes) => encodeFrame({ opcode: 2, payload: Buffer.from(bytes) })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        opcode: fc.integer({ min: 0, max: 15 }),
        payload: fc.uint8Array({ maxLength: 130 }).map((bytes) => Buffer.from(bytes)),
        isFinal: fc.boolean(),
        isMasked: fc.boolean(),
        reserved: fc.constantFrom(0, 0, 4, 7),
        declaredLength: fc.constantFrom(0, 1, 125, 126, 20_000, 2 ** 31, 2 ** 52),
      })
      .map(encodeFrame),
  },
);
/** One half without what would end it at once. */
export const session = fc.oneof(
  fc.record({ isLetIn: fc.boolean(), frames: fc.array(frame, { minLength: 1, maxLength: 12 }) }),
  fc.record({
    isLetIn: fc.constant(true),
    frames: fc.array(requests.map(textFrame), { minLength: 1, maxLength: 12 }),
  }),
);
