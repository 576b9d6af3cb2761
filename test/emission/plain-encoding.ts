import { APPOINTMENT_DELETED, type AppointmentEvent, type Id } from '@appointment-emissions/contracts';
import type { EncodeMessage } from '../../src/emission/encode.ts';

/** In place of the Redis emitter's encoding, which has its own test. Notes must not contain spaces. */
export function encodePlainly(channel: string): EncodeMessage {
  return (appointment, { event }) => {
    const notes = 'notes' in appointment ? (appointment.notes ?? '') : '';
    return { channel, head: Buffer.from(`${appointment._id} ${event} ${notes} `), tail: Buffer.alloc(0) };
  };
}

export interface PlainMessage {
  id: Id;
  event: AppointmentEvent;
  /** Undefined for a deletion. */
  notes: string | undefined;
  epoch: string;
  offset: number;
}

/** The script writes: head, 176, the epoch, `offset` and its type in 8 bytes, the offset in 8. */
export function decodePlainly(message: Buffer): PlainMessage {
  const [id = '', event = '', notes = ''] = message.toString('latin1').split(' ');
  return {
    id,
    event: event as AppointmentEvent,
    notes: event === APPOINTMENT_DELETED ? undefined : notes,
    epoch: message.subarray(message.length - 32, message.length - 16).toString('latin1'),
    offset: Number(message.readBigUInt64BE(message.length - 8)),
  };
}
