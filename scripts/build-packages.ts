import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { bundle } from './build-page.ts';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { command } from './process/command.ts';
import type { Main } from './run.mjs';

/** Each after the packages that it imports. */
export const PACKAGES = ['contracts', 'bot', 'dashboard', 'mcp'];
/** Entries beside `index`. The dashboard's share the code of `index`, so that each of its classes exists once. */
const MORE_ENTRIES: Readonly<Record<string, readonly string[]>> = {
  bot: ['append-file'],
  dashboard: ['adapters/react', 'adapters/rtk-query', 'adapters/tracing'],
};
/** Folder, in a package's `dist`, of the code and declarations for CommonJS projects. */
const COMMONJS = 'commonjs';
const OWN_MODULE = /(?<=\b(?:from|import) ?\(?')(\.\.?\/[^']+)\.ts(?=')/g;

/**
 * Runs before `npm pack` and `npm publish` in a folder of packages/: without a build the tarball would contain no code.
 * Logs to standard error, since npm prints the name of the tarball on standard output.
 */
export const main: Main = async () => {
  await buildPackages({ log: console.error });
  return 0;
};

/**
 * Compiles the packages under `packages/` into their `dist` folders: as ES modules, and in `dist/commonjs` as CommonJS.
 * The dashboard's library is also bundled, with its dependencies, into one file for browsers.
 */
export async function buildPackages({ log }: { log: (line: string) => void }): Promise<void> {
  for (const name of PACKAGES) {
    const folder = join(PROJECT_DIR, 'packages', name);
    const draft = join(RUNTIME_DIR, `${name}-${process.pid}`);
    try {
      await compile(join(folder, 'tsconfig.build.json'), draft, log);
      copyDeclarations(draft);
      const entry = join(folder, 'src', 'index.ts');
      await compileCommonJs(entry, join(draft, COMMONJS, 'index.js'));
      for (const one of MORE_ENTRIES[name] ?? []) {
        await compileCommonJs(join(folder, 'src', `${one}.ts`), join(draft, COMMONJS, `${one}.js`));
      }
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
async function compileCommonJs(entry: string, outfile: string): Promise<void> {
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
    plugins: [REQUIRE_INDEX],
  });
}

/** Makes a module that imports `../index.ts` load the compiled one instead of a copy. */
const REQUIRE_INDEX: Plugin = {
  name: 'require-index',
  setup(builder) {
    builder.onResolve({ filter: /^\.\.\/index\.ts$/ }, () => ({ path: '../index.js', external: true }));
  },
};

/** Compiles one project. @param project its tsconfig file */
export async function compile(project: string, outDir: string, log: (line: string) => void): Promise<void> {
  rmSync(outDir, { recursive: true, force: true });
  const tsc = join(PROJECT_DIR, 'node_modules', 'typescript', 'bin', 'tsc');
  const compiled = await command(process.execPath, [tsc, '-p', project, '--outDir', outDir], {
    cwd: PROJECT_DIR,
  });
  if (compiled.all) log(compiled.all);
  if (compiled.failed) throw new Error(`tsc found errors in ${project}`);
}

/** Replaces a folder by a finished draft, so that a program that runs from it never finds half of it. */
export function replaceFolder(draft: string, folder: string): void {
  const old = `${draft}-old`;
  mkdirSync(RUNTIME_DIR, { recursive: true });
  if (existsSync(folder)) renameSync(folder, old);
  renameSync(draft, folder);
  rmSync(old, { recursive: true, force: true });
}

/**
 * Makes declarations usable in any TypeScript project: tsc leaves `./name.ts` in them, which TypeScript 4 cannot resolve.
 * @returns their paths and texts
 */
export function finishDeclarations(dist: string): { file: string; text: string }[] {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
  return files
    .filter((name) => name.endsWith('.d.ts'))
    .map((file) => {
      const text = readFileSync(join(dist, file), 'utf8').replace(OWN_MODULE, '$1.js');
      writeFileSync(join(dist, file), text);
      return { file, text };
    });
}

/** A CommonJS project may not import declarations of an ES module (TS1479), so it gets a copy in a folder of type `commonjs`. */
function copyDeclarations(dist: string): void {
  for (const { file, text } of finishDeclarations(dist)) {
    const copy = join(dist, COMMONJS, file);
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, text);
  }
  writeFileSync(join(dist, COMMONJS, 'package.json'), '{ "type": "commonjs" }\n');
}
