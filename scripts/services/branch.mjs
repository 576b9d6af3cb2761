/**
 * Reads a variable that forces one way of getting a service.
 * @template {string} T
 * @param {string} variable
 * @param {readonly T[]} branches
 * @returns {T | undefined} undefined: take the first that works
 */
export function chosenBranch(variable, branches) {
  const value = process.env[variable];
  if (value === undefined || value === '') return undefined;
  const branch = branches.find((known) => known === value);
  if (branch === undefined) throw new Error(`${variable}=${value}: it must be one of ${branches.join(', ')}`);
  return branch;
}
