import { findChromium } from '../services/chromium.mjs';

/**
 * Opens the dashboard in headless Chromium; resolves once it is live.
 * @param {{ url: string, log: (line: string) => void, context?: import('playwright-core').BrowserContextOptions }} options
 */
export async function openDashboardPage({ url, log, context = {} }) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ ...(await findChromium({ log })), timeout: 30_000 });
  const page = await (await browser.newContext(context)).newPage();
  await page.goto(url);
  await page.locator('#state[data-state="live"]').waitFor();
  log(`the page is live in Chromium ${browser.version()}`);
  return { page, close: () => browser.close() };
}
