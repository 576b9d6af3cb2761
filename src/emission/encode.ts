import { randomInt } from 'node:crypto';
import {
  type AppointmentSnapshot,
  companyRoom,
  DASHBOARD_NAMESPACE,
  type EmissionMeta,
} from '@appointment-emissions/contracts';
import { createBroadcastEncoder } from './encode-broadcast.ts';
import { randomId, RANDOM_ID_LENGTH } from './random.ts';

/** A message of the Redis emitter with a hole where the publish script writes epoch and offset. */
export interface EncodedMessage {
  channel: string;
  head: Buffer;
  tail: Buffer;
}

export type MetaBeforePublish = Omit<EmissionMeta, 'epoch' | 'offset' | 'read' | 'replayed'>;
export type EncodeMessage = (appointment: AppointmentSnapshot, meta: MetaBeforePublish) => EncodedMessage;

const TWO_TO_32 = 2 ** 32;

/**
 * Encodes through Socket.IO's Redis emitter; the publish script sends it. Only the script knows epoch and
 * offset. Stand-ins of the same encoded size mark their place: a 16 character string, then the key `offset` and
 * a number that msgpack writes in 9 bytes. They are random, and never leave this process: nobody can write them into an
 * appointment.
 */
export function createEncodeMessage(adapterKey: string): EncodeMessage {
  const capture = createBroadcastEncoder(adapterKey, DASHBOARD_NAMESPACE);
  const epoch = randomId();
  const offset = randomInt(TWO_TO_32, TWO_TO_32 * 1_000);
  const hole = standIn(epoch, offset);

  return (appointment, meta) => {
    const { emissionId, event, attempt, acceptedAt, publishedAt } = meta;
    const stamped = {
      emissionId,
      event,
      epoch,
      offset,
      read: 0,
      attempt,
      acceptedAt,
      publishedAt,
      replayed: false,
    } satisfies EmissionMeta;
    const { channel, message } = capture(companyRoom(appointment.companyId), event, { appointment }, stamped);

    const at = message.lastIndexOf(hole);
    if (at < 0) throw new Error('the emitter no longer encodes epoch and offset side by side');
    return { channel, head: message.subarray(0, at), tail: message.subarray(at + hole.length) };
  };
}

/** What msgpack writes for `epoch`'s value, the key `offset` and its value. */
function standIn(epoch: string, offset: number): Buffer {
  const hole = Buffer.alloc(1 + RANDOM_ID_LENGTH + 7 + 9);
  hole[0] = 0xa0 | RANDOM_ID_LENGTH;
  hole.write(epoch, 1, 'latin1');
  hole.write('\xa6offset\xcf', 1 + RANDOM_ID_LENGTH, 'latin1');
  hole.writeBigUInt64BE(BigInt(offset), 1 + RANDOM_ID_LENGTH + 8);
  return hole;
}
