/** What playwright-core's `chromium.launch` needs: give it as it is, or spread it. */
export interface ChromiumLaunch {
  executablePath: string;
  args: string[];
  /** The whole environment, with what the browser needs added. */
  env: Record<string, string>;
}

/**
 * A Chromium for browser tests: one on PATH, else the one that npm's @sparticuz/chromium carries, unpacked once.
 * @throws when neither runs here; the message says which libraries are missing
 */
export function findChromium(options?: { log?: (line: string) => void }): Promise<ChromiumLaunch>;
