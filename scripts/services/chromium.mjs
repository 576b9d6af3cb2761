import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath } from '../process/on-path.mjs';
import { run } from '../process/run.mjs';
import { unpackChromium } from './chromium-package.mjs';

const ON_PATH = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  // It talks to nobody but the pages of the test.
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @type {typeof import('./chromium.mjs').findChromium} */
export async function findChromium({ log = () => undefined } = {}) {
  const onPath = findOnPath(ON_PATH);
  // On some systems it is a stub that only tells what to install.
  if (onPath && (await run(onPath, ['--version'])).ok) return launch(onPath, {});
  const dir = await unpackChromium({ log });
  const file = join(dir, 'chromium');
  /** @type {Record<string, string>} */
  const fonts = existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: join(dir, 'fonts') };
  // The system's own libraries, where it has them; else those that come with the package.
  let complaint = '';
  /** @type {Record<string, string>[]} */
  const choices = [{}, { LD_LIBRARY_PATH: join(dir, 'al2023', 'lib') }];
  for (const libraries of choices) {
    const { ok, excerpt } = await run(file, ['--version'], { env: { ...process.env, ...libraries } });
    if (ok) return launch(file, { ...fonts, ...libraries });
    complaint = excerpt;
  }
  throw new Error(`Chromium does not run here (install the system's chromium package): ${complaint}`);
}

/** @param {string} executablePath @param {Record<string, string>} additions */
function launch(executablePath, additions) {
  const env = /** @type {Record<string, string>} */ ({ ...process.env, ...additions });
  return { executablePath, args: [...FLAGS], env };
}
