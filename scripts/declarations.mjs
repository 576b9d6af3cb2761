import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Folder, in a package's `dist`, of the code and declarations for CommonJS projects. */
export const COMMONJS = 'commonjs';
const OWN_MODULE = /(?<=\b(?:from|import) ?\(?')(\.\.?\/[^']+)\.ts(?=')/g;

/**
 * Makes the declarations of one package usable in any TypeScript project. tsc leaves `./name.ts` in them, which TypeScript
 * 4 does not resolve. A CommonJS project may not import declarations of an ES module (TS1479), so it gets a copy in a
 * folder of type `commonjs`.
 * @param {string} dist
 */
export function finishDeclarations(dist) {
  const files = /** @type {string[]} */ (readdirSync(dist, { recursive: true }));
  for (const file of files.filter((name) => name.endsWith('.d.ts'))) {
    const text = readFileSync(join(dist, file), 'utf8').replace(OWN_MODULE, '$1.js');
    const copy = join(dist, COMMONJS, file);
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, text);
    writeFileSync(join(dist, file), text);
  }
  writeFileSync(join(dist, COMMONJS, 'package.json'), '{ "type": "commonjs" }\n');
}
