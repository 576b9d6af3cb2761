import { createRequire } from 'node:module';
import fc from 'fast-check';
import { goodMessage } from '../../test/realtime/damaged-messages.ts';
import { mutated, mutatedBytes, oddValues, toJson } from './mutate.ts';
import { type OpenSurface, surfaceOf } from './surface.ts';

const { decode, encode } = createRequire(import.meta.resolve('@socket.io/redis-emitter'))('notepack.io') as {
  encode: (value: unknown) => Buffer;
  decode: (bytes: Buffer) => unknown;
};

const REQUEST_ID = '00000000-0000-4000-8000-000000000000';

/** Pub/Sub messages of another program on every channel of the gateway but the other company's. */
export const openMessages: OpenSurface = ({ world, company, other, appointments, count }) => {
  const key = world.env['SOCKET_ADAPTER_KEY']!;
  const good = goodMessage(key, company.companyId, appointments[0]!);
  const room = `company:${company.companyId}`;
  const foreign = `company:${other.companyId}`;
  const whole = decode(good.message) as [string, { data: unknown[] }, { rooms: string[] }];
  const [sender, packet, rooms] = whole;
  const addressed = (to: object) => [sender, packet, { ...rooms, ...to }];
  const broadcasts = fc
    .constantFrom<unknown[][]>(
      whole,
      addressed({ rooms: [foreign] }),
      addressed({ rooms: [room, foreign] }),
      addressed({ rooms: [] }),
      addressed({ except: [foreign, room] }),
    )
    .chain((one) => mutated(one, 3));
  const bytes = fc.oneof(
    broadcasts.map(toMessagePack),
    fc.tuple(broadcasts.map(toMessagePack), mutatedBytes(3)).map(([message, edit]) => edit(message)),
    fc.uint8Array({ maxLength: 64 }).map((random) => Buffer.from(random)),
  );
  const control = fc.oneof(
    mutated(
      { type: 'request', requestId: REQUEST_ID, dryRun: false, target: { companyId: company.companyId } },
      2,
    ),
    mutated({ type: 'reply', requestId: REQUEST_ID, matched: 1 }, 2),
    ...[0, 1, 2, 3, 4, 5, 6].map((type) =>
      mutated(
        { type, requestId: 'r', uid: 'u', opts: { rooms: [foreign], except: [] }, rooms: [foreign] },
        2,
      ),
    ),
    oddValues,
  );
  const message = fc.oneof(
    fc.record({
      channel: fc.constantFrom(
        good.channel,
        good.channel,
        good.channel,
        `${key}#/#`,
        `${key}#/#${room}`,
        `${key}#/#${room}##`,
        `${key}#/internal#`,
        `${key}#/internal#${room}#`,
        `${key}#/canary#${room}#`,
        `${key}#/#__proto__#`,
      ),
      bytes,
    }),
    fc.record({
      channel: fc.constantFrom(
        `${key}-request#/#`,
        `${key}-response#/#`,
        `${key}-request#/internal#`,
        `${key}-disconnect`,
      ),
      bytes: control.map((value) => Buffer.from(toJson(value))).filter((sent) => !disconnectsAll(sent)),
    }),
  );
  return surfaceOf(fc.array(message, { minLength: 1, maxLength: 12 }), async (messages) => {
    for (const { channel, bytes: sent } of messages) {
      const receivers = await world.redis.publish(channel, sent);
      count(receivers > 0 ? 'received' : 'no receiver');
    }
  });
};

/** notepack has no encoding for some values, as for numbers beyond 64 bits. */
function toMessagePack(value: unknown): Buffer {
  try {
    return encode(value);
  } catch {
    return Buffer.from(toJson(value));
  }
}

/** A valid request to disconnect everyone is obeyed: who may publish it is a matter of Redis's users. */
function disconnectsAll(sent: Buffer): boolean {
  return /"type":"request"/.test(sent.toString()) && !/"companyId":"[0-9a-f]{24}"/.test(sent.toString());
}
