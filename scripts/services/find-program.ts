import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Finds a program on PATH: the absolute path of the first name that is there. */
export function findOnPath(names: readonly string[], path = process.env.PATH ?? ''): string | undefined {
  for (const name of names) {
    for (const dir of path.split(delimiter)) {
      const file = join(dir || '.', name);
      if (isExecutable(file)) return file;
    }
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * Reads a variable that prescribes where a server comes from.
 * @returns undefined if it is not set: the first source that works is used
 * @throws if the value is not one of `sources`
 */
export function prescribedSource<T extends string>(variable: string, sources: readonly T[]): T | undefined {
  const value = process.env[variable];
  if (value === undefined || value === '') return undefined;
  const source = sources.find((known) => known === value);
  if (source === undefined) throw new Error(`${variable}=${value}: it must be one of ${sources.join(', ')}`);
  return source;
}
