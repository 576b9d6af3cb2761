import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../process/command.ts';
import { unpackDebianPackage } from './debian-package.ts';
import { findOnPath } from './find-program.ts';

const PACKAGE = 'firefox-esr';

/** Options of puppeteer's `launch`. */
export interface FirefoxLaunch {
  browser: 'firefox';
  executablePath: string;
  env: Record<string, string>;
}

/**
 * Finds a Firefox for browser tests: one on PATH, else Debian's, with the libraries that the system lacks.
 * @returns why there is none and how to install one, if apt-get is missing or does not find the package
 */
export async function findFirefox({ log = () => undefined }: { log?: (line: string) => void } = {}): Promise<
  FirefoxLaunch | { reason: string }
> {
  const onPath = findOnPath(['firefox-esr', 'firefox']);
  // On some systems it is a stub that prints how to install the browser.
  if (onPath && !(await command(onPath, ['--version'])).failed) return launchOptions(onPath, {});
  const unpacked = await unpackDebianPackage({
    name: PACKAGE,
    folder: 'firefox',
    hasDependencies: true,
    onDownload: () => {
      log('downloading Firefox for the browser tests, about 90 MB');
    },
  });
  if ('reason' in unpacked) return unpacked;
  const lib = join(unpacked.root, 'usr', 'lib');
  const libraries = readdirSync(lib).filter((name) => name.includes('-linux-gnu'));
  return launchOptions(join(lib, PACKAGE, PACKAGE), {
    LD_LIBRARY_PATH: libraries.map((name) => join(lib, name)).join(':'),
    ...(!existsSync('/etc/fonts/fonts.conf') && { FONTCONFIG_PATH: join(unpacked.root, 'etc', 'fonts') }),
  });
}

function launchOptions(executablePath: string, additions: Record<string, string>): FirefoxLaunch {
  const env = { ...process.env, ...additions } as Record<string, string>;
  return { browser: 'firefox', executablePath, env };
}
