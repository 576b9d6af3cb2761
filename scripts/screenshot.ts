import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROJECT_DIR } from './paths.mjs';
import type { Main } from './run.mjs';
import { openDashboardPage, pictureContext, startDemo } from './show-demo.ts';

const ZONE = 'Europe/Berlin';
const FILE = join(PROJECT_DIR, 'docs', 'images', 'dashboard.png');

/** Takes the README's picture: the page of `npm start`, just after the demo's bot has booked an appointment. */
export const main: Main = async ({ signal }) => {
  const demo = await startDemo({ signal, env: { DASHBOARD_TIME_ZONE: ZONE } });
  try {
    const { page, close } = await openDashboardPage(demo.base, pictureContext(ZONE));
    await page.locator('#cards .card').first().waitFor();
    // The form proposes a free time, which may be on another day.
    await page.locator('#date').fill(await page.locator('#chat input[type=date]').inputValue());
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('#cards .card.fresh').waitFor();
    mkdirSync(dirname(FILE), { recursive: true });
    await page.screenshot({ path: FILE });
    await close();
    console.log(`wrote ${FILE}`);
  } finally {
    await demo.stop();
  }
  return 0;
};
