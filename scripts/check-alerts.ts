import { join } from 'node:path';
import { PROJECT_DIR } from './paths.mjs';
import { command } from './process/command.ts';
import type { Main } from './run.mjs';
import { unpackDebianPackage } from './services/debian-package.ts';
import { findOnPath } from './services/find-program.ts';

/** What promtool checks in `ops/`. */
const CHECKS = [
  ['check', 'config', 'prometheus.yml'],
  ['check', 'rules', 'alerts.yml'],
  ['test', 'rules', 'alerts.test.yml'],
];

/** `npm run check:alerts`: checks the rules of Prometheus, and runs their tests, with promtool. */
export const main: Main = async () => {
  const found = await findPromtool();
  if ('reason' in found) {
    console.log(`not run: the alert rules need promtool: ${found.reason}`);
    return 0;
  }
  for (const check of CHECKS) {
    const { failed, all } = await command(found.file, check, { cwd: join(PROJECT_DIR, 'ops') });
    console.log(`promtool ${check.join(' ')}\n${all}`);
    if (failed) return 1;
  }
  return 0;
};

/** The one on PATH, else Debian's. */
async function findPromtool(): Promise<{ file: string } | { reason: string }> {
  const onPath = findOnPath(['promtool']);
  if (onPath) return { file: onPath };
  const unpacked = await unpackDebianPackage({
    name: 'prometheus',
    folder: 'prometheus',
    // It is linked with the C library alone; the others are of the server's pages.
    hasDependencies: false,
    onDownload: () => {
      console.log('downloading promtool, about 20 MB');
    },
  });
  return 'reason' in unpacked ? unpacked : { file: join(unpacked.root, 'usr', 'bin', 'promtool') };
}
