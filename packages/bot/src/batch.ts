import { isAppointmentEvent } from '@appointment-emissions/contracts';
import { readAppointmentId } from './appointment-id.ts';
import type { Emission } from './requests.ts';

/** Maximum number of emissions in one request to the batch route. */
const MAX_BATCH = 1_000;
/** Maximum number of emissions in one call. A longer list is probably a mistake. */
const MAX_EMISSIONS = 100_000;

export interface ReadBatch {
  emissions: Emission[];
  /** Invalid items by index. The index -1 means the whole list. */
  problems: { index: number; problem: string }[];
}

/** Reads a list of emissions from any value. Never throws. An invalid item does not affect the others. */
export function readBatch(given: unknown): ReadBatch {
  const read: ReadBatch = { emissions: [], problems: [] };
  try {
    if (!Array.isArray(given)) return addListProblem(read, 'emissions must be an array');
    if (given.length > MAX_EMISSIONS) return addListProblem(read, `more than ${MAX_EMISSIONS} emissions`);
    for (let index = 0; index < given.length; index += 1) readItem(given, index, read);
  } catch {
    return addListProblem(read, 'emissions could not be read');
  }
  return read;
}

/** Splits emissions into requests to the batch route. */
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
    if (!isAppointmentEvent(event)) problems.push({ index, problem: 'event is not an appointment event' });
    else if ('problem' in read) problems.push({ index, problem: read.problem });
    else emissions.push({ event, appointmentId: read.id });
  } catch {
    problems.push({ index, problem: 'could not be read' });
  }
}

function addListProblem(read: ReadBatch, problem: string): ReadBatch {
  return { emissions: read.emissions, problems: [...read.problems, { index: -1, problem }] };
}
