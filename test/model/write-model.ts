import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freshDir } from '../harness/own-services.ts';

/** Writes a module for `EMISSIONS_MODEL`, in JavaScript: on Node 20 the built processes cannot load TypeScript. */
export function writeModule(text: string, name = 'emissions.model.mjs'): string {
  const folder = freshDir('model');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

export function writeModel(description: object): string {
  return writeModule(`export default ${JSON.stringify(description)};\n`);
}
