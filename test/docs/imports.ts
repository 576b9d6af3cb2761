import { basename, dirname, join } from 'node:path';
import { filesBelow, readPage } from './pages.ts';

/** How many imports lead at most from the file that connects two others to each of them. */
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

/** Whether one of the files imports the other, or a third file, such as a composition, reaches both within a few imports. */
export function areConnected(a: string, b: string): boolean {
  return [a, b, ...imports.keys()].some((file) => {
    const reached = reachedFrom(file);
    return reached.has(a) && reached.has(b);
  });
}

/** The file, and what it imports directly or through others. */
function reachedFrom(file: string): Set<string> {
  let reached = new Set([file]);
  for (let step = 0; step < MAX_IMPORTS; step += 1)
    reached = new Set([...reached].flatMap((found) => [found, ...(imports.get(found) ?? [])]));
  return reached;
}
