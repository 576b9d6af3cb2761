import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { Main } from './run.mjs';
import { type Demo, openDashboardPage, startDemo } from './show-demo.ts';

const WARM_UP = 20;
const COUNT = 100;
const PAUSE_MS = { min: 50, max: 150 };
const SHOWN_WITHIN_MS = 10_000;
const TARGET_MS = 25;

/**
 * Measures the time from the bot's POST until a browser shows the event, one emission at a time on an otherwise idle
 * system: everything that `npm start` starts, and a headless Chromium on the same machine, so that one clock measures
 * both. The page reports when its document shows the emission; the browser paints it within its next frame.
 */
export const main: Main = async ({ signal }) => {
  const demo = await startDemo({ signal, env: { RECONCILE_INTERVAL_MS: '0' } });
  try {
    const { page, close } = await openDashboardPage(demo.base);
    await page.evaluate(recordShown);
    const { answered, shown } = await measure(demo, page);
    await close();
    print(answered, shown);
  } finally {
    await demo.stop();
  }
  return 0;
};

/** Milliseconds from each POST to its 202, and to the moment when the page shows the emission. */
async function measure(demo: Demo, page: Page): Promise<{ answered: number[]; shown: number[] }> {
  const answered: number[] = [];
  const shown: number[] = [];
  for (let i = 0; i < WARM_UP + COUNT; i += 1) {
    await pause(PAUSE_MS.min + Math.random() * (PAUSE_MS.max - PAUSE_MS.min));
    const { emissionId, startedAt, answeredAt } = await post(demo);
    const shownAt = await page.evaluate(whenShown, { emissionId, withinMs: SHOWN_WITHIN_MS });
    if (i < WARM_UP) continue;
    answered.push(answeredAt - startedAt);
    shown.push(shownAt - startedAt);
  }
  return { answered, shown };
}

async function post({ base, key, appointmentId }: Demo) {
  const startedAt = performance.timeOrigin + performance.now();
  const reply = await fetch(`${base}/api/v1/internal/socket/appointment-updated`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ appointmentId }),
  });
  const answeredAt = performance.timeOrigin + performance.now();
  if (reply.status !== 202) throw new Error(`the API answered ${reply.status}`);
  const { emissionId } = (await reply.json()) as { emissionId: string };
  return { emissionId, startedAt, answeredAt };
}

/** The page's window, as far as the two functions below use it. */
interface PageWindow extends EventTarget {
  /** When each emission was shown, in ms since 1970, by emission id. */
  shown: Map<string, number>;
}

type ShownEvent = CustomEvent<{ emissionId: string; at: number }>;

/** Runs in the page: records when it shows each emission. */
function recordShown(): void {
  const page = globalThis as unknown as PageWindow;
  page.shown = new Map();
  page.addEventListener('emission-shown', (event) => {
    const { emissionId, at } = (event as ShownEvent).detail;
    page.shown.set(emissionId, at);
  });
}

/**
 * Runs in the page: resolves when it has shown the emission, to ms since 1970. Contains no named function: tsx would add
 * a call to a helper that does not exist in the page.
 */
function whenShown({ emissionId, withinMs }: { emissionId: string; withinMs: number }): Promise<number> {
  const page = globalThis as unknown as PageWindow;
  return new Promise((resolve, reject) => {
    page.addEventListener('emission-shown', (event) => {
      const { detail } = event as ShownEvent;
      if (detail.emissionId === emissionId) resolve(detail.at);
    });
    setTimeout(() => {
      reject(new Error(`not shown within ${withinMs} ms`));
    }, withinMs);
    const at = page.shown.get(emissionId);
    if (at !== undefined) resolve(at);
  });
}

function print(answered: number[], shown: number[]): void {
  const load = loadavg()[0]?.toFixed(1);
  console.log(
    `\n${COUNT} emissions, one at a time; Node ${process.version}, ${cpus().length} cores, load ${load}\n`,
  );
  console.table({ 'POST → 202': row(answered), 'POST → on the screen': row(shown) });
  const median = quantile(shown, 0.5).toFixed(1);
  console.log(`median POST → on the screen: ${median} ms (target on an idle system: under ${TARGET_MS} ms)`);
}

function row(values: number[]): Record<string, number> {
  const ms = (value: number): number => Number(value.toFixed(1));
  return {
    'median, ms': ms(quantile(values, 0.5)),
    'p95, ms': ms(quantile(values, 0.95)),
    'max, ms': ms(Math.max(...values)),
  };
}

function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN;
}
