import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_DIR, RUNTIME_DIR } from '../paths.mjs';
import { command, excerptOf } from '../process/command.ts';
import { withLock } from '../process/lock.mjs';

const PACKAGE = '@sparticuz/chromium';
/** Unpacks into the folder for temporary files, with libraries if it detects AWS Lambda. */
const UNPACK = `import { default as chromium } from '${PACKAGE}'; await chromium.executablePath();`;

/**
 * Unpacks the npm package's browser, its fonts and libraries below `.runtime`. This needs another process, with its own
 * TMPDIR: the package leaves a file there that only one user can run.
 * @returns the folder
 */
export async function unpackChromium({ log }: { log: (line: string) => void }): Promise<string> {
  const { version } = JSON.parse(
    readFileSync(join(PROJECT_DIR, 'node_modules', PACKAGE, 'package.json'), 'utf8'),
  ) as { version: string };
  const dir = join(RUNTIME_DIR, `chromium-${version}`);
  const stamp = join(dir, '.stamp');
  if (existsSync(stamp)) return dir;
  await withLock(join(RUNTIME_DIR, 'locks', 'chromium.lock'), async () => {
    if (existsSync(stamp)) return;
    log('unpacking Chromium for the browser tests');
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    const unpacked = await command(process.execPath, ['--input-type=module', '-e', UNPACK], {
      cwd: PROJECT_DIR,
      env: { TMPDIR: dir, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' },
    });
    if (unpacked.failed) throw new Error(`Chromium could not be unpacked:\n${excerptOf(unpacked)}`);
    writeFileSync(stamp, '');
  });
  return dir;
}
