import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { command, excerptOf } from '../process/command.ts';
import { unpackChromium } from './chromium-package.ts';
import { findOnPath } from './find-program.ts';

const ON_PATH = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  // The only pages that it loads are those of the test.
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Options of playwright-core's `chromium.launch`. */
export interface ChromiumLaunch {
  executablePath: string;
  args: string[];
  /** The whole environment, including what the browser needs. */
  env: Record<string, string>;
}

/**
 * Finds a Chromium for browser tests: one on PATH, else the one in npm's @sparticuz/chromium, which is unpacked once.
 * @throws if neither runs on this machine; the message names missing libraries
 */
export async function findChromium({
  log = () => undefined,
}: { log?: (line: string) => void } = {}): Promise<ChromiumLaunch> {
  const onPath = findOnPath(ON_PATH);
  // On some systems it is a stub that prints how to install the browser.
  if (onPath && !(await command(onPath, ['--version'])).failed) return launchOptions(onPath, {});
  const dir = await unpackChromium({ log });
  const file = join(dir, 'chromium');
  const fonts = existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: join(dir, 'fonts') };
  // First with the system's libraries, then with those of the package.
  let reason = '';
  for (const libraries of [{}, { LD_LIBRARY_PATH: join(dir, 'al2023', 'lib') }]) {
    const version = await command(file, ['--version'], { env: libraries });
    if (!version.failed) return launchOptions(file, { ...fonts, ...libraries });
    reason = excerptOf(version);
  }
  throw new Error(`Chromium does not run here (install the system's chromium package): ${reason}`);
}

function launchOptions(executablePath: string, additions: Record<string, string>): ChromiumLaunch {
  const env = { ...process.env, ...additions } as Record<string, string>;
  return { executablePath, args: [...FLAGS], env };
}
