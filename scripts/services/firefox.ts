import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../paths.mjs';
import { command, excerptOf } from '../process/command.ts';
import { withLock } from '../process/lock.mjs';
import { findOnPath } from './find-program.ts';

const PACKAGE = 'firefox-esr';
const DIR = join(RUNTIME_DIR, 'firefox');
const ROOT = join(DIR, 'root');
/** Written last, so that an interrupted installation starts again. Contains the reason if Firefox cannot be installed; else it is empty. */
const STAMP = join(DIR, '.stamp');
const INSTALL = 'install Firefox (apt-get install firefox-esr)';

/** Options of puppeteer's `launch`. */
export interface FirefoxLaunch {
  browser: 'firefox';
  executablePath: string;
  env: Record<string, string>;
}

/**
 * Finds a Firefox for browser tests: one on PATH, else Debian's, which is unpacked once below `.runtime` together with the libraries
 * that the system lacks. This needs no root, and changes nothing else.
 * @returns why there is none and how to install one, if apt-get is missing or does not find the package
 */
export async function findFirefox({ log = () => undefined }: { log?: (line: string) => void } = {}): Promise<
  FirefoxLaunch | { reason: string }
> {
  const onPath = findOnPath(['firefox-esr', 'firefox']);
  // On some systems it is a stub that prints how to install the browser.
  if (onPath && !(await command(onPath, ['--version'])).failed) return launchOptions(onPath, {});
  await withLock(join(RUNTIME_DIR, 'locks', 'firefox.lock'), async () => {
    if (existsSync(STAMP)) return;
    log('downloading Firefox for the browser tests, about 90 MB');
    rmSync(DIR, { recursive: true, force: true });
    mkdirSync(ROOT, { recursive: true });
    writeFileSync(STAMP, (await unpack()) ?? '');
  });
  const reason = readFileSync(STAMP, 'utf8');
  if (reason !== '') return { reason: `${INSTALL}, or delete ${DIR} to try the download again: ${reason}` };
  const lib = join(ROOT, 'usr', 'lib');
  const libraries = readdirSync(lib).filter((name) => name.includes('-linux-gnu'));
  return launchOptions(join(lib, PACKAGE, PACKAGE), {
    LD_LIBRARY_PATH: libraries.map((name) => join(lib, name)).join(':'),
    ...(!existsSync('/etc/fonts/fonts.conf') && { FONTCONFIG_PATH: join(ROOT, 'etc', 'fonts') }),
  });
}

function launchOptions(executablePath: string, additions: Record<string, string>): FirefoxLaunch {
  const env = { ...process.env, ...additions } as Record<string, string>;
  return { browser: 'firefox', executablePath, env };
}

/** Downloads and unpacks the package and what it needs. @returns why this is not possible */
async function unpack(): Promise<string | undefined> {
  if (!findOnPath(['apt-get']) || !findOnPath(['dpkg-deb'])) return 'there is no apt-get or dpkg-deb here';
  const [lists, cache, debs] = ['lists', 'cache', 'debs'].map((name) => join(DIR, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(join(lists, 'partial'), { recursive: true });
  mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
  mkdirSync(debs);
  // Its own package lists: those of the system can be missing, or name versions that have been replaced.
  const own = [`Dir::State::Lists=${lists}`, `Dir::Cache=${cache}`, 'Debug::NoLocking=true'];
  const limits = ['APT::Sandbox::User=root', 'Acquire::Languages=none', 'Acquire::http::Timeout=15'];
  const aptGet = (...args: string[]) =>
    command('apt-get', ['--quiet', ...[...own, ...limits].flatMap((option) => ['-o', option]), ...args], {
      cwd: debs,
    });

  const updated = await aptGet('update');
  if (updated.failed) return excerptOf(updated);
  const planned = await aptGet('--simulate', '--no-install-recommends', 'install', PACKAGE);
  if (planned.failed) return excerptOf(planned);
  const missing = [...planned.stdout.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name ?? '');
  const downloaded = await aptGet('download', ...missing);
  if (downloaded.failed) return excerptOf(downloaded);
  for (const deb of readdirSync(debs)) {
    const unpacked = await command('dpkg-deb', ['--extract', join(debs, deb), ROOT]);
    if (unpacked.failed) return excerptOf(unpacked);
  }
  for (const dir of [lists, cache, debs]) rmSync(dir, { recursive: true, force: true });
  return undefined;
}
