import './node-version.mjs';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { PROJECT_DIR } from './paths.mjs';
import { openDashboardPage } from './show/browser.mjs';
import { startDemo } from './show/demo.mjs';

// Takes the README's picture: what `npm start` shows, just after the demo's bot has booked.
const FILE = join(PROJECT_DIR, 'docs', 'images', 'dashboard.png');

const log = (/** @type {string} */ line) => console.log(line);
await ensureInstalled({ log });
const demo = await startDemo({ log, env: { DASHBOARD_TIME_ZONE: 'Europe/Berlin' } });
try {
  const context = { viewport: { width: 1280, height: 800 }, locale: 'en-GB', timezoneId: 'Europe/Berlin' };
  const { page, close } = await openDashboardPage({ url: demo.base, log, context });
  await page.locator('#cards .card').first().waitFor();
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('#cards .card.fresh').waitFor();
  mkdirSync(dirname(FILE), { recursive: true });
  await page.screenshot({ path: FILE });
  await close();
  log(`wrote ${FILE}`);
} finally {
  await demo.stop();
}
process.exit();
