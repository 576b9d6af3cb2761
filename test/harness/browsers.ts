import type { Browser as Firefox, Page as FirefoxPage } from 'puppeteer-core';
import type { Browser as Chromium, Page as ChromiumPage } from 'playwright-core';
import { findFirefox } from '../../scripts/services/firefox.ts';
import { launchChromium } from './chromium.ts';

/** A page in one of the browsers: what the tests that run in each of them need. */
export interface AnyPage {
  open: (url: string) => Promise<void>;
  /** Waits until a visible element matches the selector and contains the text. @throws after 15 s */
  waitFor: (selector: string, text?: string) => Promise<void>;
  click: (selector: string) => Promise<void>;
  /** Types into a field. */
  type: (selector: string, text: string) => Promise<void>;
  resize: (width: number, height: number) => Promise<void>;
  evaluate: (expression: string) => Promise<unknown>;
  /** Messages of the errors that the page did not catch. */
  errors: string[];
}

/** For a server that requests HTTP Basic. */
interface Credentials {
  username: string;
  password: string;
}

export interface AnyBrowser {
  newPage: (credentials?: Credentials) => Promise<AnyPage>;
  close: () => Promise<void>;
}

const DEADLINE_MS = 15_000;

/**
 * Firefox reports a WebSocket or a request to another origin that cannot connect as an uncaught error. The page handles it: it
 * connects again. An answer without the headers of CORS has another reason.
 */
const FAILED_CONNECTION =
  /^Firefox can’t establish a connection to the server at wss?:|\(Reason: CORS request did not succeed\)/;

/**
 * The browsers of this machine, for `describe.each`: Chromium, and Firefox if it is here or can be downloaded. If not, a line says how
 * to install it.
 */
export async function availableBrowsers(): Promise<{ name: string; launch: () => Promise<AnyBrowser> }[]> {
  const chromium = { name: 'Chromium', launch: async () => fromChromium(await launchChromium()) };
  const launch = await firefoxLauncher();
  return launch ? [chromium, { name: 'Firefox', launch }] : [chromium];
}

/** A function that starts Firefox without a window; undefined, and a line on stderr, if there is none. */
export async function firefoxLauncher(): Promise<(() => Promise<AnyBrowser>) | undefined> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const found = await findFirefox({ log });
  if ('reason' in found) {
    log(`not run in Firefox: ${found.reason}`);
    return undefined;
  }
  const { launch } = await import('puppeteer-core');
  return async () => fromFirefox(await launch({ ...found, headless: true, timeout: 30_000 }));
}

function fromChromium(browser: Chromium): AnyBrowser {
  return {
    newPage: async (credentials) =>
      pageOfChromium(await browser.newPage(credentials && { httpCredentials: credentials })),
    close: () => browser.close(),
  };
}

function pageOfChromium(page: ChromiumPage): AnyPage {
  const errors: string[] = [];
  page.setDefaultTimeout(DEADLINE_MS);
  page.on('pageerror', ({ message }) => errors.push(message));
  return {
    open: async (url) => {
      await page.goto(url);
    },
    waitFor: (selector, text) =>
      page
        .locator(selector, text === undefined ? {} : { hasText: text })
        .first()
        .waitFor(),
    click: (selector) => page.locator(selector).first().click(),
    type: (selector, text) => page.locator(selector).first().pressSequentially(text),
    resize: (width, height) => page.setViewportSize({ width, height }),
    evaluate: (expression) => page.evaluate(expression),
    errors,
  };
}

function fromFirefox(browser: Firefox): AnyBrowser {
  return {
    newPage: async (credentials) => {
      const page = await browser.newPage();
      if (credentials) await page.authenticate(credentials);
      return pageOfFirefox(page);
    },
    close: () => browser.close(),
  };
}

function pageOfFirefox(page: FirefoxPage): AnyPage {
  const errors: string[] = [];
  page.setDefaultTimeout(DEADLINE_MS);
  page.on('pageerror', (error) => {
    const message = error instanceof Error ? error.message : String(error);
    if (!FAILED_CONNECTION.test(message)) errors.push(message);
  });
  return {
    open: async (url) => {
      await page.goto(url);
    },
    waitFor: async (selector, text = '') => {
      const [wanted, part] = [JSON.stringify(selector), JSON.stringify(text)];
      const isThere = `[...document.querySelectorAll(${wanted})].some(
        (element) => element.checkVisibility() && element.textContent.includes(${part}))`;
      await page.waitForFunction(isThere).catch((error: unknown) => {
        throw new Error(`no element ${selector} with the text “${text}”`, { cause: error });
      });
    },
    click: (selector) => page.locator(selector).click(),
    type: (selector, text) => page.type(selector, text),
    resize: (width, height) => page.setViewport({ width, height }),
    evaluate: (expression) => page.evaluate(expression),
    errors,
  };
}
