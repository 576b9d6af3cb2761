import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** Widths of a desktop, a tablet, a phone and a small phone. */
export const WIDTHS = [1440, 820, 390, 320];
/** A folder for pictures. Without it none are taken. */
const { SCREENSHOTS } = process.env;

type Scheme = 'light' | 'dark';

interface EachSizeOptions {
  /** Part of the pictures' names. */
  name: string;
  /** Widths, each with its colour schemes. For pictures, all widths in both schemes replace them. */
  sizes: readonly (readonly [width: number, ...Scheme[]])[];
  /** Called after each change of the width. */
  prepare?: (() => Promise<void>) | undefined;
  /** Called in each size. */
  check: (size: string) => Promise<void>;
}

/** Shows a page in several widths and colour schemes, checks it, and takes pictures if SCREENSHOTS names a folder. */
export async function inEachSize(
  page: Page,
  { name, sizes, prepare, check }: EachSizeOptions,
): Promise<void> {
  const all = WIDTHS.map((width) => [width, 'light', 'dark'] as const);
  if (SCREENSHOTS) mkdirSync(SCREENSHOTS, { recursive: true });
  for (const [width, ...schemes] of SCREENSHOTS ? all : sizes) {
    await page.setViewportSize({ width, height: width < 768 ? 844 : 900 });
    await prepare?.();
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme });
      const size = `${name}-${width}-${colorScheme}`;
      if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `${size.replaceAll(' ', '-')}.png`) });
      await check(size);
    }
  }
}
