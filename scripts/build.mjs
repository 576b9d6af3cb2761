import './node-version.mjs';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildPage } from './build-page.mjs';
import { ensureInstalled } from './install.mjs';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { run } from './process/run.mjs';

const DIST = join(PROJECT_DIR, 'dist');
const draft = join(RUNTIME_DIR, `dist-${process.pid}`);
const log = (/** @type {string} */ line) => console.log(line);

// Built beside and then exchanged: a dist that something runs from is never half there.
try {
  await ensureInstalled({ log });
  rmSync(draft, { recursive: true, force: true });
  log('compiling TypeScript');
  const tsc = join(PROJECT_DIR, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = { cwd: PROJECT_DIR, onLine: log };
  const compiled = await run(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json', '--outDir', draft],
    options,
  );
  if (!compiled.ok) throw new Error('tsc found errors');
  copyScripts();
  log('bundling the page and the browser library');
  await buildPage(join(draft, 'page'));
  exchange();
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

function exchange() {
  const old = `${draft}-old`;
  if (existsSync(DIST)) renameSync(DIST, old);
  renameSync(draft, DIST);
  rmSync(old, { recursive: true, force: true });
}
