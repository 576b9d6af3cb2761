import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PACKAGES } from './build-packages.ts';
import { PROJECT_DIR } from './paths.mjs';
import { command, excerptOf } from './process/command.ts';
import type { Main } from './run.mjs';

const PUBLINT = join(PROJECT_DIR, 'node_modules', '.bin', 'publint');
const ATTW = join(PROJECT_DIR, 'node_modules', '.bin', 'attw');

/**
 * Packs the packages of `packages/` and checks the tarballs with publint (are the manifest and the files right?) and
 * Are The Types Wrong (do TypeScript projects of every kind find matching types?). Resolves to 1 if a check has failed.
 */
export const main: Main = async ({ signal }) => {
  const folder = mkdtempSync(join(tmpdir(), 'packages-'));
  let exitCode = 0;
  try {
    for (const name of PACKAGES) {
      const tarball = await pack(name, folder);
      for (const check of [
        [PUBLINT, '--strict'],
        [ATTW, '--format', 'ascii'],
      ]) {
        const { failed } = await command(process.execPath, [...check, tarball], {
          stdout: 'inherit',
          stderr: 'inherit',
        });
        signal.throwIfAborted();
        if (failed) exitCode = 1;
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return exitCode;
};

/** @returns the path of the tarball */
async function pack(name: string, folder: string): Promise<string> {
  const args = ['pack', '--json', '--loglevel=error', '--pack-destination', folder];
  const packed = await command('npm', args, { cwd: join(PROJECT_DIR, 'packages', name) });
  if (packed.failed) throw new Error(`npm pack failed in packages/${name}:\n${excerptOf(packed)}`);
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  return join(folder, filename);
}
