import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import { build } from 'esbuild';
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
 * Bundles the pages and the browser library into `dist/page`, in well under a second. Builds in another folder and moves
 * the files in one by one, since a running API may serve `dist/page`.
 */
export async function buildPage(out = OUT): Promise<void> {
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
    moveFiles(draft, out);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Bundles a TypeScript file, with all that it imports, into one file for browsers. */
export async function bundle(entry: string, outfile: string, format: 'esm' | 'cjs' = 'esm'): Promise<void> {
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

function copyStatic(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (COPIED.has(extname(name))) cpSync(join(from, name), join(to, name));
  }
}

function copySwaggerUi(to: string): void {
  const from = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  for (const name of SWAGGER_UI) cpSync(join(from, name), join(to, name));
}

/** Makes `to` contain the files of `from` and no others. */
function moveFiles(from: string, to: string): void {
  const files = filesBelow(from);
  for (const file of files) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    renameSync(join(from, file), join(to, file));
  }
  for (const file of filesBelow(to)) if (!files.includes(file)) rmSync(join(to, file));
}

function filesBelow(dir: string): string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)));
}
