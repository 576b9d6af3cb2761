import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import { SOURCE_CONDITION } from './source-args.mjs';

const OUT = join(PROJECT_DIR, 'dist', 'page');
const COPIED = new Set(['.html', '.css', '.svg', '.ico', '.png', '.webmanifest']);
/** Stylesheets and icons of the calendar and the operator's page. */
const SHARED = join(PROJECT_DIR, 'web', 'shared');
/** Each page: its sources, and its folder below `dist/page`. */
const PAGES = [
  { from: join(PROJECT_DIR, 'web', 'calendar'), to: '' },
  { from: join(PROJECT_DIR, 'web', 'admin'), to: 'admin' },
  { from: join(PROJECT_DIR, 'web', 'docs'), to: 'docs' },
];
/** Viewer of the OpenAPI document, served unchanged. */
const SWAGGER_UI = ['swagger-ui.css', 'swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt', 'LICENSE'];

/**
 * Bundles what browsers load into `dist/page`, a moment's work. Built beside and moved in file by file, since a
 * running API serves that folder.
 * @param {string} [out]
 */
export async function buildPage(out = OUT) {
  const draft = join(RUNTIME_DIR, `page-${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  try {
    for (const { from, to } of PAGES.filter((page) => existsSync(page.from))) {
      await bundle(join(from, 'main.ts'), join(draft, to, 'main.js'));
      copyStatic(from, join(draft, to));
    }
    copyStatic(SHARED, draft);
    copySwaggerUi(join(draft, 'docs'));
    await bundle(join(PROJECT_DIR, 'packages', 'dashboard', 'src', 'index.ts'), join(draft, 'realtime.js'));
    moveInto(draft, out);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * Bundles a program and everything that it imports into one file for browsers.
 * @param {string} entry
 * @param {string} outfile
 * @param {'esm' | 'cjs'} [format]
 */
export async function bundle(entry, outfile, format = 'esm') {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format,
    target: 'es2022',
    conditions: [SOURCE_CONDITION, 'module'],
    minify: true,
    sourcemap: true,
    logLevel: 'warning',
    absWorkingDir: PROJECT_DIR,
  });
}

function copyStatic(/** @type {string} */ from, /** @type {string} */ to) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (COPIED.has(extname(name))) cpSync(join(from, name), join(to, name));
  }
}

function copySwaggerUi(/** @type {string} */ to) {
  const from = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  for (const name of SWAGGER_UI) cpSync(join(from, name), join(to, name));
}

function moveInto(/** @type {string} */ draft, /** @type {string} */ out) {
  const built = filesBelow(draft);
  for (const file of built) {
    mkdirSync(dirname(join(out, file)), { recursive: true });
    renameSync(join(draft, file), join(out, file));
  }
  for (const file of filesBelow(out)) if (!built.includes(file)) rmSync(join(out, file));
}

function filesBelow(/** @type {string} */ dir) {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildPage();
