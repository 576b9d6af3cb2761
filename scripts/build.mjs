import './node-version.mjs';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildPackages, compile, replaceFolder } from './build-packages.mjs';
import { buildPage } from './build-page.mjs';
import { ensureInstalled } from './install.mjs';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';

const DIST = join(PROJECT_DIR, 'dist');
const draft = join(RUNTIME_DIR, `dist-${process.pid}`);
const log = (/** @type {string} */ line) => console.log(line);

// Built beside and then exchanged: a dist that something runs from is never half there.
try {
  await ensureInstalled({ log });
  log('compiling the packages');
  await buildPackages({ log });
  log('compiling the server');
  await compile('tsconfig.build.json', draft, log);
  copyScripts();
  log('bundling the page and the browser library');
  await buildPage(join(draft, 'page'));
  replaceFolder(draft, DIST);
  log('built dist/');
} catch (error) {
  console.error(`build failed: ${/** @type {Error} */ (error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(draft, { recursive: true, force: true });
}

/** tsc leaves out what is not TypeScript: the scripts that Redis runs. */
function copyScripts() {
  for (const folder of ['src', 'workers']) {
    const files = /** @type {string[]} */ (readdirSync(join(PROJECT_DIR, folder), { recursive: true }));
    for (const file of files.filter((name) => name.endsWith('.lua'))) {
      const target = join(draft, folder, file);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(join(PROJECT_DIR, folder, file), target);
    }
  }
}
