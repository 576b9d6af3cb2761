/**
 * Packs the packages of `packages/` and checks the tarballs with publint (are the manifest and the files right?) and
 * Are The Types Wrong (do TypeScript projects of every kind find matching types?). `npm run check:packages`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGES = ['contracts', 'bot', 'dashboard'];

const PUBLINT = join(ROOT, 'node_modules', '.bin', 'publint');
const ATTW = join(ROOT, 'node_modules', '.bin', 'attw');

function pack(name: string, folder: string): string {
  const stdout = execFileSync('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder], {
    cwd: join(ROOT, 'packages', name),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return join(folder, filename);
}

function passes(script: string, ...args: string[]): boolean {
  return spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' }).status === 0;
}

const folder = mkdtempSync(join(tmpdir(), 'packages-'));
try {
  for (const name of PACKAGES) {
    const tarball = pack(name, folder);
    const results = [passes(PUBLINT, '--strict', tarball), passes(ATTW, '--format', 'ascii', tarball)];
    if (results.includes(false)) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
