import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_DIR } from './paths.mjs';
import { command, excerptOf } from './process/command.ts';
import { release } from './release/release.ts';
import type { Main } from './run.mjs';
import { buildWheel, ensureClientPython } from './services/python-client.ts';

/**
 * `npm run release -- <version> [--dry-run]`: releases the head of `main`. A dry run needs no version, builds the packages from the
 * last commit of any branch, and changes nothing.
 */
export const main: Main = async ({ args }) => {
  const { values, positionals } = parseArgs({
    args,
    options: { 'dry-run': { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (positionals.length > 1) throw new Error('give one version');
  await release({
    project: PROJECT_DIR,
    version: positionals[0],
    isDryRun: values['dry-run'],
    date: new Date().toISOString().slice(0, 10),
    pack,
    log: console.log,
  });
  return 0;
};

/** Installs what the lock file lists, builds the checkout, and packs the server, the libraries and the Python client. */
async function pack(checkout: string, folder: string): Promise<void> {
  await npm(checkout, 'run', 'build');
  await npm(
    checkout,
    'pack',
    '--ignore-scripts',
    '--workspaces',
    '--include-workspace-root',
    '--pack-destination',
    folder,
  );
  const python = await ensureClientPython((line) => {
    console.error(`Python: ${line}`);
  });
  await buildWheel(python, folder, join(checkout, 'clients', 'python'));
}

async function npm(checkout: string, ...args: string[]): Promise<void> {
  const ran = await command('npm', args, { cwd: checkout });
  if (ran.failed) throw new Error(`npm ${args.join(' ')} failed:\n${excerptOf(ran)}`);
}
