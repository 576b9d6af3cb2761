import { cpSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { PROJECT_DIR } from '../../scripts/paths.mjs';

const FOLDERS = ['src', 'workers', 'packages/contracts/src', 'packages/bot/src'];
const OWN_PACKAGE = /^@appointment-emissions\/([^/]+)(?:\/(.+))?$/;

/**
 * Compiles the code of the API, the worker and the commands, file by file and without a check of types. Processes that
 * run the result start in half the time, since no loader compiles for them.
 * @param outDir  below the project's folder, so that Node finds the packages
 */
export async function compileProcesses(outDir: string): Promise<void> {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(PROJECT_DIR, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
      join(folder, file),
    ),
  );
  await build({
    entryPoints: files.filter((file) => file.endsWith('.ts')),
    outdir: outDir,
    outbase: PROJECT_DIR,
    absWorkingDir: PROJECT_DIR,
    // Every import stays: `bundle` only makes esbuild call the plugin for it.
    bundle: true,
    plugins: [IMPORT_COMPILED],
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
  const others = files.filter((file) => file.endsWith('.lua'));
  for (const file of [...others, 'ops/redis/users.acl']) cpSync(join(PROJECT_DIR, file), join(outDir, file));
}

/** Makes a compiled file import the compiled files, also those of our own packages. */
const IMPORT_COMPILED: Plugin = {
  name: 'import-compiled',
  setup(builder) {
    builder.onResolve({ filter: /./ }, ({ kind, path, importer }) => {
      if (kind === 'entry-point') return undefined;
      const [, name, entry = 'index'] = OWN_PACKAGE.exec(path) ?? [];
      if (name === undefined) return { path: path.replace(/^(\..*)\.ts$/, '$1.js'), external: true };
      const file = join(PROJECT_DIR, 'packages', name, 'src', `${entry}.js`);
      return { path: relative(dirname(importer), file), external: true };
    });
  },
};
