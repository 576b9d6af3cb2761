import { OBJECT_ID } from '@appointment-emissions/contracts';

export type ReadId = { id: string } | { problem: string };

/**
 * Reads an id from a string, an ObjectId, or a document with `_id`. Never throws, not even for a revoked Proxy. The problem
 * names the type of the value but not its content, which may be personal data.
 * @param name argument name in the problem text
 */
export function readId(name: 'appointmentId' | 'companyId', given: unknown): ReadId {
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
