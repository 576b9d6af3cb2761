import { type Browser, chromium } from 'playwright-core';
import { findChromium } from '../../scripts/services/chromium.ts';

/** Starts Chromium without a window. The caller closes it. @throws if it is not ready within 30 s */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ ...(await findChromium()), timeout: 30_000 });
}
