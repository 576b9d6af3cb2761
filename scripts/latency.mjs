import './node-version.mjs';
import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { ensureInstalled } from './install.mjs';
import { openDashboardPage } from './show/browser.mjs';
import { startDemo } from './show/demo.mjs';

// How long it takes from the bot's POST until the event is on the screen of a browser, one emission at a time on an
// otherwise idle system: what `npm start` starts, and a headless Chromium. One clock: both run on this machine. The
// page tells the moment at which its document shows the emission; the browser paints it within its next frame.
const WARM_UP = 20;
const COUNT = 100;
const PAUSE_MS = { min: 50, max: 150 };
const SHOWN_WITHIN_MS = 10_000;
const TARGET_MS = 25;

const log = (/** @type {string} */ line) => console.log(line);
await ensureInstalled({ log });
const demo = await startDemo({ log, env: { RECONCILE_INTERVAL_MS: '0' } });
try {
  const { page, close } = await openDashboardPage({ url: demo.base, log });
  await page.evaluate(rememberWhatIsShown);
  /** @type {number[]} */
  const answered = [];
  /** @type {number[]} */
  const shown = [];
  for (let i = 0; i < WARM_UP + COUNT; i += 1) {
    await pause(PAUSE_MS.min + Math.random() * (PAUSE_MS.max - PAUSE_MS.min));
    const { emissionId, startedAt, answeredAt } = await post();
    const shownAt = await page.evaluate(whenShown, { emissionId, withinMs: SHOWN_WITHIN_MS });
    if (i < WARM_UP) continue;
    answered.push(answeredAt - startedAt);
    shown.push(shownAt - startedAt);
  }
  await close();
  const load = loadavg()[0]?.toFixed(1);
  log(`\n${COUNT} emissions, one at a time; Node ${process.version}, ${cpus().length} cores, load ${load}\n`);
  console.table({ 'POST → 202': row(answered), 'POST → on the screen': row(shown) });
  log(
    `median POST → on the screen: ${quantile(shown, 0.5).toFixed(1)} ms (aim on an idle system: under ${TARGET_MS} ms)`,
  );
} finally {
  await demo.stop();
}
process.exit();

async function post() {
  const startedAt = performance.timeOrigin + performance.now();
  const reply = await fetch(`${demo.base}/api/v1/internal/socket/appointment-updated`, {
    method: 'POST',
    headers: { 'x-api-key': demo.key, 'content-type': 'application/json' },
    body: JSON.stringify({ appointmentId: demo.appointmentId }),
  });
  const answeredAt = performance.timeOrigin + performance.now();
  const { emissionId } = await reply.json();
  if (reply.status !== 202) throw new Error(`the API answered ${reply.status}`);
  return { emissionId, startedAt, answeredAt };
}

/** Runs in the page. */
function rememberWhatIsShown() {
  const shown = new Map();
  Object.assign(window, { shown });
  window.addEventListener('emission-shown', (/** @type {any} */ { detail }) => {
    shown.set(detail.emissionId, detail.at);
    window.dispatchEvent(new Event('shown-noted'));
  });
}

/**
 * Runs in the page.
 * @param {{ emissionId: string, withinMs: number }} wish
 * @returns {Promise<number>} ms since 1970
 */
function whenShown({ emissionId, withinMs }) {
  return new Promise((resolve, reject) => {
    const look = () => {
      const at = /** @type {any} */ (window).shown.get(emissionId);
      if (at !== undefined) resolve(at);
    };
    window.addEventListener('shown-noted', look);
    setTimeout(() => reject(new Error(`not shown within ${withinMs} ms`)), withinMs);
    look();
  });
}

/** @param {number[]} values */
function row(values) {
  const ms = (/** @type {number} */ value) => Number(value.toFixed(1));
  return {
    'median, ms': ms(quantile(values, 0.5)),
    'p95, ms': ms(quantile(values, 0.95)),
    'max, ms': ms(Math.max(...values)),
  };
}

/** @param {number[]} values @param {number} q */
function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN;
}
