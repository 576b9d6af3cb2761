import { type Id, OBJECT_ID } from '@appointment-emissions/contracts';

/** Whether a value is an id as text, in lower or upper case. */
export function isHexId(given: unknown): given is string {
  return typeof given === 'string' && OBJECT_ID.test(given);
}

/** The hex form of an id that an application passes: text, or an ObjectId of any version of bson. `undefined` if it is none. */
export function toHexId(given: unknown): Id | undefined {
  const text = isHexable(given) ? given.toHexString() : given;
  return isHexId(text) ? text.toLowerCase() : undefined;
}

function isHexable(given: unknown): given is { toHexString: () => unknown } {
  return (
    typeof given === 'object' &&
    given !== null &&
    'toHexString' in given &&
    typeof given.toHexString === 'function'
  );
}
