/**
 * Every log line about an emission, on its way from the request to the publish, begins with `[InternalSocket]`:
 * `[InternalSocket] Accepted …`, `[InternalSocket] Emitted …`, `[InternalSocket] Failed to emit …`. Operators search for
 * these words.
 */
import {
  type AppointmentEvent,
  type EmissionSource,
  type Id,
  isAppointmentEvent,
} from '@appointment-emissions/contracts';
import { isHexId } from './to-hex-id.ts';

/** What a request or a job names, as far as it is valid. */
export interface NamedEmission {
  event?: AppointmentEvent | undefined;
  appointmentId?: Id | undefined;
}

/** Rest of a log message: `appointment:created for 65f1a2b3c4d5e6f708192a3b`, or as much of it as is known. */
export function describeEmission({ event, appointmentId }: NamedEmission): string {
  return `${event ?? 'an event'}${appointmentId === undefined ? '' : ` for ${appointmentId}`}`;
}

/** Reads event and id from data of any form. What is not valid is left out: it may contain anything, also personal data. */
export function readNamedEmission(given: unknown): NamedEmission {
  const { event, appointmentId } = Object(given) as Record<string, unknown>;
  return {
    event: isAppointmentEvent(event) ? event : undefined,
    appointmentId: isHexId(appointmentId) ? appointmentId.toLowerCase() : undefined,
  };
}

export const EMISSION_SOURCES = ['call', 'capture', 'sweep'] as const satisfies readonly EmissionSource[];

/** The source of an emission, by its id: `capture-…` and `sweep-…` are ours alone; a caller never chooses an id. */
export function sourceOf(emissionId: string): EmissionSource {
  const prefix = emissionId.slice(0, emissionId.indexOf('-'));
  return prefix === 'capture' || prefix === 'sweep' ? prefix : 'call';
}
