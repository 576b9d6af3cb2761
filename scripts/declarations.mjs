import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Folder, in a package's `dist`, of the declarations for CommonJS projects. */
const COMMONJS = 'commonjs';
const OWN_MODULE = /(?<=\b(?:from|import) ?\(?')(\.\.?\/[^']+)\.ts(?=')/g;

/**
 * Makes the declarations of one package usable in any TypeScript project. tsc leaves `./name.ts` in them, which TypeScript
 * 4 does not resolve. And a CommonJS project may not import what is declared as an ES module (TS1479), although Node loads
 * it with `require`: for those a copy stands in a folder of the CommonJS type.
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
