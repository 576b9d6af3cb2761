import { basename, dirname, join } from 'node:path';
import { filesBelow, readPage } from './pages.ts';

/** How many imports lead at most from one file of a path to another. */
const MAX_IMPORTS = 2;

/** Files that each file imports: TypeScript files of ours, and the Lua scripts that it names. */
const imports = new Map(
  ['src', 'workers', 'packages']
    .flatMap((folder) => filesBelow(folder, '.ts'))
    .filter((file) => !file.includes('node_modules'))
    .map((file) => [file, importsOf(file)] as const),
);

function importsOf(file: string): string[] {
  const source = readPage(file);
  const modules = [...source.matchAll(/'(\.{1,2}\/[^']+\.(?:ts|lua))'/g)].map(([, path = '']) =>
    join(dirname(file), path),
  );
  const scripts = filesBelow(dirname(file), '.lua').filter((script) =>
    source.includes(`'${basename(script, '.lua')}'`),
  );
  return [...modules, ...scripts];
}

/**
 * Whether one of the files imports the other, directly or through one file between them, or a third file, such as a
 * composition, imports both.
 */
export function areConnected(a: string, b: string): boolean {
  const isWithin = (from: string, to: string) => reachedFrom(from, MAX_IMPORTS).has(to);
  return (
    isWithin(a, b) || isWithin(b, a) || [...imports.values()].some((of) => of.includes(a) && of.includes(b))
  );
}

export const importsDirectly = (from: string, to: string): boolean =>
  imports.get(from)?.includes(to) ?? false;

/** The file, and what it imports directly or through others. */
function reachedFrom(file: string, maxSteps: number): Set<string> {
  let reached = new Set([file]);
  for (let step = 0; step < maxSteps; step += 1)
    reached = new Set([...reached].flatMap((found) => [found, ...(imports.get(found) ?? [])]));
  return reached;
}
