import { hash, randomInt } from 'node:crypto';
import {
  type AppointmentSnapshot,
  companyRoom,
  DASHBOARD_NAMESPACE,
  type DeletedAppointment,
  type EmissionMeta,
} from '@appointment-emissions/contracts';
import { type ReadLink, toReadRoom } from '../domain/read-link.ts';
import { createBroadcastEncoder } from './encode-broadcast.ts';
import { randomId, RANDOM_ID_LENGTH } from './random.ts';

/** A message of the Redis emitter, split where the publish script inserts epoch and offset. */
export interface EncodedMessage {
  channel: string;
  head: Buffer;
  tail: Buffer;
}

export interface MetaBeforePublish extends Omit<
  EmissionMeta,
  'epoch' | 'offset' | 'read' | 'replayed' | 'traceparent'
> {
  traceparent?: string | undefined;
}
/** Encodes a snapshot, or the ids of a deleted appointment for `appointment:deleted`. */
export type EncodeMessage = (
  appointment: AppointmentSnapshot | DeletedAppointment,
  meta: MetaBeforePublish,
  read: ReadLink,
) => EncodedMessage;

const TWO_TO_32 = 2 ** 32;

/**
 * Encodes with Socket.IO's Redis emitter; the publish script sends the message. Only the script knows epoch and offset.
 * Placeholders of the same encoded size mark their position: a string of 16 characters, then the key `offset` and a
 * number that msgpack writes in 9 bytes. They are random and never leave this process, so no appointment can contain them.
 */
export function createEncodeMessage(adapterKey: string): EncodeMessage {
  const encodeBroadcast = createBroadcastEncoder(adapterKey, DASHBOARD_NAMESPACE);
  const epoch = randomId();
  const offset = randomInt(TWO_TO_32, TWO_TO_32 * 1_000);
  const placeholder = encodePlaceholder(epoch, offset);

  return (appointment, meta, read) => {
    const { emissionId, event, attempt, acceptedAt, publishedAt, traceparent } = meta;
    const stamped: EmissionMeta = {
      emissionId,
      event,
      epoch,
      offset,
      read: 0,
      attempt,
      acceptedAt,
      publishedAt,
      replayed: false,
    };
    if (traceparent !== undefined) stamped.traceparent = traceparent;
    const { channel, message } = encodeBroadcast(
      { to: companyRoom(appointment.companyId), except: toReadRoom(read) },
      event,
      { appointment },
      stamped,
    );

    const at = message.lastIndexOf(placeholder);
    if (at < 0) throw new Error('the emitter no longer encodes epoch and offset side by side');
    return { channel, head: message.subarray(0, at), tail: message.subarray(at + placeholder.length) };
  };
}

/** The msgpack encoding of the epoch, the key `offset` and the offset. */
function encodePlaceholder(epoch: string, offset: number): Buffer {
  const bytes = Buffer.alloc(1 + RANDOM_ID_LENGTH + 7 + 9);
  bytes[0] = 0xa0 | RANDOM_ID_LENGTH;
  bytes.write(epoch, 1, 'latin1');
  bytes.write('\xa6offset\xcf', 1 + RANDOM_ID_LENGTH, 'latin1');
  bytes.writeBigUInt64BE(BigInt(offset), 1 + RANDOM_ID_LENGTH + 8);
  return bytes;
}

const DIGEST_LENGTH = 16;

/**
 * Identifies the content of a snapshot: 16 characters, 96 bits. Two snapshots have the same digest if a dashboard would show
 * the same. Capture compares it, so the order key need not contain the snapshot.
 */
export function digestOf(snapshot: AppointmentSnapshot): string {
  return hash('sha256', JSON.stringify(snapshot), 'base64url').slice(0, DIGEST_LENGTH);
}
