import {
  APPOINTMENT_DELETED,
  type AppointmentEvent,
  type BatchItem,
  isAppointmentEvent,
  OBJECT_ID,
} from '@appointment-emissions/contracts';

/** Maximum number of emissions in one request to the batch route. */
const MAX_BATCH = 1_000;
/** Maximum number of emissions in one call. A longer list is probably a mistake. */
const MAX_EMISSIONS = 100_000;

/** One emission of a batch. Each id is a string, an ObjectId, or a document with its `_id`. */
export interface BatchEmission {
  event: AppointmentEvent;
  appointmentId: unknown;
  /** For `appointment:deleted` only, and required there. */
  companyId?: unknown;
}

export interface ReadBatch {
  emissions: BatchItem[];
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

/** Reads one emission. Only a deletion has a company: its document may be gone, so the backend cannot look it up. */
export function readEmission({
  event,
  appointmentId,
  companyId,
}: BatchEmission): BatchItem | { problem: string } {
  const appointment = readId('appointmentId', appointmentId);
  if ('problem' in appointment) return appointment;
  if (event !== APPOINTMENT_DELETED) return { event, appointmentId: appointment.id };
  const company = readId('companyId', companyId);
  if ('problem' in company) return company;
  return { event, appointmentId: appointment.id, companyId: company.id };
}

/** Splits emissions into requests to the batch route. */
export function inBatches(emissions: BatchItem[]): BatchItem[][] {
  const batches: BatchItem[][] = [];
  for (let at = 0; at < emissions.length; at += MAX_BATCH) batches.push(emissions.slice(at, at + MAX_BATCH));
  return batches;
}

function readItem(given: unknown[], index: number, { emissions, problems }: ReadBatch): void {
  try {
    const { event, appointmentId, companyId } = Object(given[index]) as Record<string, unknown>;
    if (!isAppointmentEvent(event)) {
      problems.push({ index, problem: 'event is not an appointment event' });
      return;
    }
    const read = readEmission({ event, appointmentId, companyId });
    if ('problem' in read) problems.push({ index, problem: read.problem });
    else emissions.push(read);
  } catch {
    problems.push({ index, problem: 'could not be read' });
  }
}

function addListProblem(read: ReadBatch, problem: string): ReadBatch {
  return { emissions: read.emissions, problems: [...read.problems, { index: -1, problem }] };
}

type ReadId = { id: string } | { problem: string };

/**
 * Reads an id from a string, an ObjectId, or a document with `_id`. Never throws, not even for a revoked Proxy. The problem
 * names the type of the value but not its content, which may be personal data.
 * @param name argument name in the problem text
 */
function readId(name: 'appointmentId' | 'companyId', given: unknown): ReadId {
  if (given === undefined || given === null || given === '') return { problem: `no ${name} was given` };
  try {
    const id = String(idOf(given));
    if (OBJECT_ID.test(id)) return { id: id.toLowerCase() };
    return { problem: `${name} must be 24 hexadecimal characters, got ${describe(given)}` };
  } catch {
    return { problem: `${name} could not be read` };
  }
}

function idOf(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || !('_id' in given)) return given;
  return given._id ?? given;
}

function describe(given: unknown): string {
  return typeof given === 'string' ? `a string of ${given.length}` : `a value of type ${typeof given}`;
}
