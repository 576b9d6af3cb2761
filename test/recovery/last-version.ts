import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freshDir } from '../harness/own-services.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A folder with the code of the commit before this one; where there is no history, as in a package, the code of now.
 * It shares the packages that are installed here.
 */
export async function checkOutLastVersion(): Promise<string> {
  try {
    await run('git', ['rev-parse', '--verify', 'HEAD~1^{commit}'], { cwd: ROOT });
  } catch {
    return ROOT;
  }
  const dir = freshDir('last-version');
  const archive = `${dir}.tar`;
  await mkdir(dir, { recursive: true });
  const what = ['src', 'workers', 'package.json', 'tsconfig.json'];
  await run('git', ['archive', '--format=tar', `--output=${archive}`, 'HEAD~1', ...what], { cwd: ROOT });
  await run('tar', ['-xf', archive, '-C', dir]);
  await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  return dir;
}
