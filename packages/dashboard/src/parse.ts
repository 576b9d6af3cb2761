import {
  type AppointmentList,
  type EmissionMeta,
  isAppointmentEvent,
  type PositionUpdate,
  type StreamPosition,
} from '@appointment-emissions/contracts';
import type { ReceivedEvent } from './reorder-buffer.ts';

/**
 * Checks an appointment event. Returns `undefined` if it is malformed or from another publisher: without `meta` it cannot be
 * ordered.
 */
export function parseEvent({
  payload,
  meta,
}: Record<'payload' | 'meta', unknown>): ReceivedEvent | undefined {
  const { emissionId, event, epoch, offset, read } = fieldsOf(meta);
  const isOrdered = isName(epoch) && isCount(offset) && isCount(read);
  if (!isOrdered || typeof emissionId !== 'string' || !isAppointmentEvent(event)) return undefined;
  if (!isName(fieldsOf(fieldsOf(payload)['appointment'])['_id'])) return undefined;
  return { payload: payload as ReceivedEvent['payload'], meta: meta as EmissionMeta };
}

/** Checks a position. Returns `undefined` if it is malformed. */
export function parsePosition(given: unknown): PositionUpdate | undefined {
  const { epoch, offset, recovered, reason } = fieldsOf(given);
  if (typeof epoch !== 'string' || !isCount(offset) || typeof recovered !== 'boolean') return undefined;
  if (recovered && epoch === '') return undefined;
  return {
    epoch,
    offset,
    recovered,
    ...(isName(reason) && { reason: reason as NonNullable<PositionUpdate['reason']> }),
  };
}

/** Checks `emissions:passed`. Returns `undefined` if it is malformed. */
export function parsePassed(given: unknown): StreamPosition | undefined {
  const { epoch, offset } = fieldsOf(given);
  return isName(epoch) && isCount(offset) ? { epoch, offset } : undefined;
}

/** True if the server uses the new token. */
export function isTokenAccepted(reply: unknown): boolean {
  return fieldsOf(reply)['ok'] === true;
}

/** Checks a list. @throws Error if it is malformed */
export function parseList(given: unknown): AppointmentList {
  const { epoch, offset, appointments } = fieldsOf(given);
  const isWhole =
    isName(epoch) && isCount(offset) && Array.isArray(appointments) && appointments.every(isRow);
  if (!isWhole)
    throw new Error(
      'the list is malformed: it must have epoch, offset and appointments, as in the reply of the list route',
    );
  return given as AppointmentList;
}

function isRow(row: unknown): boolean {
  const { appointment, offset, read } = fieldsOf(row);
  return isName(fieldsOf(appointment)['_id']) && isCount(offset) && isCount(read);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
