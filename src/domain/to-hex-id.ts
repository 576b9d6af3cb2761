import { type Id, OBJECT_ID } from '@appointment-emissions/contracts';

/** The hex form of an id that an application passes: text, or an ObjectId of any version of bson. `undefined` if it is none. */
export function toHexId(given: unknown): Id | undefined {
  const text = isHexable(given) ? given.toHexString() : given;
  return typeof text === 'string' && OBJECT_ID.test(text) ? text.toLowerCase() : undefined;
}

function isHexable(given: unknown): given is { toHexString: () => unknown } {
  return (
    typeof given === 'object' &&
    given !== null &&
    'toHexString' in given &&
    typeof given.toHexString === 'function'
  );
}
