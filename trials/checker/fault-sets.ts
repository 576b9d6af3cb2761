/** No fault, and each fault alone. */
export const singlesOf = <F>(faults: readonly F[]): (readonly F[])[] => [
  [],
  ...faults.map((fault) => [fault]),
];

/** No fault, each fault alone, and each pair. */
export function faultSetsOf<F>(faults: readonly F[]): (readonly F[])[] {
  const pairs = faults.flatMap((first, index) => faults.slice(index + 1).map((second) => [first, second]));
  return [...singlesOf(faults), ...pairs];
}
