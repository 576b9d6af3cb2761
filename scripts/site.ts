import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_DIR } from './paths.mjs';
import { command, excerptOf } from './process/command.ts';
import type { Main } from './run.mjs';
import { writePages } from './site/pages.ts';
import { SOURCE_ARGS } from './source-args.mjs';

const SITE = join(PROJECT_DIR, 'site');
/** Below site/, so that the pages find its packages. */
const PAGES = join(SITE, 'dist', 'pages');
const OUT = join(PROJECT_DIR, 'dist', 'site');
const MODULES = join(SITE, 'node_modules');

/**
 * Builds the website of the documentation in `dist/site`: the pages of `docs/`, the interfaces, and the API of the packages.
 * A dead link fails it.
 *
 * `--repository https://…/blob/main`: address of the sources; without it a link to a source file becomes plain text.
 * `--base /path/`: the path under which the site is served.
 */
export const main: Main = async ({ signal, args }) => {
  const { values } = parseArgs({
    args,
    options: { repository: { type: 'string' }, base: { type: 'string', default: '/' } },
  });
  await installSite();
  signal.throwIfAborted();
  rmSync(PAGES, { recursive: true, force: true });
  writePages({ out: PAGES, repository: values.repository });
  await run('the pages of the interfaces', [
    ...SOURCE_ARGS,
    join(import.meta.dirname, 'site', 'write-interfaces.ts'),
    PAGES,
  ]);
  await run('the API reference', [join(SITE, 'api.mjs'), join(PAGES, 'api')]);
  signal.throwIfAborted();
  const vitepress = join(MODULES, 'vitepress', 'bin', 'vitepress.js');
  await run('the site', [vitepress, 'build', SITE, '--base', values.base]);
  console.log(`wrote ${OUT}`);
  return 0;
};

/** Installs the packages of `site/`, which has a lock file of its own: only this command needs them. */
async function installSite(): Promise<void> {
  const lock = readFileSync(join(SITE, 'package-lock.json'));
  const stamp = join(MODULES, '.install-stamp');
  const fingerprint = createHash('sha256').update(lock).digest('hex');
  if (readIfPresent(stamp) === fingerprint) return;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const npm = await command('npm', args, { cwd: SITE });
  if (npm.failed) throw new Error(`npm could not install the packages of site/:\n${excerptOf(npm)}`);
  writeFileSync(stamp, fingerprint);
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Runs a Node program in `site/`, and prints its output. */
async function run(what: string, args: string[]): Promise<void> {
  const ran = await command(process.execPath, args, { cwd: SITE, stdout: 'inherit', stderr: 'inherit' });
  if (ran.failed) throw new Error(`${what} could not be built; see above`);
}
