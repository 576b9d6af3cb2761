import { isAppointmentEvent } from '@appointment-emissions/contracts';
import { readAppointmentId } from './appointment-id.ts';
import type { Emission } from './requests.ts';

/** What the batch route takes at once. */
const MAX_BATCH = 1_000;
/** Above this a call is taken for a mistake. */
const MAX_EMISSIONS = 100_000;

export interface ReadBatch {
  emissions: Emission[];
  /** What was wrong with the others, by index; the index is -1 where it is the whole list. */
  problems: { index: number; problem: string }[];
}

/** Reads a list of emissions out of whatever was given. Never throws; one bad item never costs the others. */
export function readBatch(given: unknown): ReadBatch {
  const read: ReadBatch = { emissions: [], problems: [] };
  try {
    if (!Array.isArray(given)) return notAList(read, 'emissions must be an array');
    if (given.length > MAX_EMISSIONS) return notAList(read, `more than ${MAX_EMISSIONS} emissions`);
    for (let index = 0; index < given.length; index += 1) readItem(given, index, read);
  } catch {
    return notAList(read, 'emissions could not be read');
  }
  return read;
}

export function inBatches(emissions: Emission[]): Emission[][] {
  const batches: Emission[][] = [];
  for (let at = 0; at < emissions.length; at += MAX_BATCH) batches.push(emissions.slice(at, at + MAX_BATCH));
  return batches;
}

function readItem(given: unknown[], index: number, { emissions, problems }: ReadBatch): void {
  try {
    const item = given[index] as { event?: unknown; appointmentId?: unknown } | null | undefined;
    const event = item?.event;
    const read = readAppointmentId(item?.appointmentId);
    if (!isAppointmentEvent(event)) problems.push({ index, problem: 'event is none of the three' });
    else if ('problem' in read) problems.push({ index, problem: read.problem });
    else emissions.push({ event, appointmentId: read.id });
  } catch {
    problems.push({ index, problem: 'could not be read' });
  }
}

function notAList(read: ReadBatch, problem: string): ReadBatch {
  return { emissions: read.emissions, problems: [...read.problems, { index: -1, problem }] };
}
