import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './build-page.mjs';
import { COMMONJS, finishDeclarations } from './declarations.mjs';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { run } from './process/run.mjs';

/** Each after those that it imports. */
const PACKAGES = ['contracts', 'bot', 'dashboard'];

/**
 * Compiles the packages under `packages/` into their `dist` folders: as ES modules, and in `dist/commonjs` as CommonJS.
 * The dashboard's library is also bundled, with its dependencies, into one file for browsers.
 * @param {{ log: (line: string) => void }} options
 */
export async function buildPackages({ log }) {
  for (const name of PACKAGES) {
    const folder = join(PROJECT_DIR, 'packages', name);
    const draft = join(RUNTIME_DIR, `${name}-${process.pid}`);
    try {
      await compile(join(folder, 'tsconfig.build.json'), draft, log);
      finishDeclarations(draft);
      const entry = join(folder, 'src', 'index.ts');
      await compileCommonJs(entry, join(draft, COMMONJS, 'index.js'));
      if (name === 'dashboard') {
        await bundle(entry, join(draft, 'browser.js'));
        await bundle(entry, join(draft, COMMONJS, 'browser.js'), 'cjs');
      }
      replaceFolder(draft, join(folder, 'dist'));
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
}

/**
 * For CommonJS projects. Node can `require` an ES module, but jest and older bundlers cannot, and TypeScript must not
 * find CommonJS types for an ES module.
 */
async function compileCommonJs(/** @type {string} */ entry, /** @type {string} */ outfile) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'es2022',
    logLevel: 'warning',
    absWorkingDir: PROJECT_DIR,
  });
}

/**
 * Compiles one project.
 * @param {string} project  its tsconfig file
 * @param {string} outDir
 * @param {(line: string) => void} log
 */
export async function compile(project, outDir, log) {
  rmSync(outDir, { recursive: true, force: true });
  const tsc = join(PROJECT_DIR, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', project, '--outDir', outDir];
  const compiled = await run(process.execPath, args, { cwd: PROJECT_DIR, onLine: log });
  if (!compiled.ok) throw new Error(`tsc found errors in ${project}`);
}

/** Replaces a folder by a finished draft, so that a program that runs from it never finds half of it. */
export function replaceFolder(/** @type {string} */ draft, /** @type {string} */ folder) {
  const old = `${draft}-old`;
  mkdirSync(RUNTIME_DIR, { recursive: true });
  if (existsSync(folder)) renameSync(folder, old);
  renameSync(draft, folder);
  rmSync(old, { recursive: true, force: true });
}
