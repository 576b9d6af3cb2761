import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_DIR, RUNTIME_DIR } from '../paths.mjs';
import { withLock } from '../process/lock.mjs';
import { run } from '../process/run.mjs';

const PACKAGE = '@sparticuz/chromium';
/** Unpacks into the folder for temporary files; asks for the libraries too when it takes itself to be on Lambda. */
const UNPACK = `import { default as chromium } from '${PACKAGE}'; await chromium.executablePath();`;

/**
 * Unpacks the npm package's browser, its fonts and libraries below `.runtime`. In a process of its own: it goes by
 * TMPDIR, and leaves a file there that only one user can run.
 * @param {{ log: (line: string) => void }} options
 * @returns {Promise<string>} the folder
 */
export async function unpackChromium({ log }) {
  const { version } = JSON.parse(
    readFileSync(join(PROJECT_DIR, 'node_modules', PACKAGE, 'package.json'), 'utf8'),
  );
  const dir = join(RUNTIME_DIR, `chromium-${version}`);
  const stamp = join(dir, '.stamp');
  if (existsSync(stamp)) return dir;
  await withLock(join(RUNTIME_DIR, 'locks', 'chromium.lock'), async () => {
    if (existsSync(stamp)) return;
    log('unpacking Chromium for the browser tests');
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    const env = { ...process.env, TMPDIR: dir, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' };
    const unpacking = await run(process.execPath, ['--input-type=module', '-e', UNPACK], {
      cwd: PROJECT_DIR,
      env,
    });
    if (!unpacking.ok) throw new Error(`Chromium could not be unpacked:\n${unpacking.excerpt}`);
    writeFileSync(stamp, '');
  });
  return dir;
}
