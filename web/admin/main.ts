import './valid-language.ts';
import 'uplot/dist/uPlot.min.css';
import type { FailedEmission, FleetMetricsReading, OverviewReply } from '@appointment-emissions/contracts';
import { byId, create, setChildren, setText } from '../calendar/elements.ts';
import { askOverview, askRepair, askRetry, askSeries } from './request.ts';
import { createBacklog } from './backlog.ts';
import { createChart } from './chart.ts';
import { createFailures } from './failures.ts';
import { judge } from './judge.ts';
import { createRepairDialog } from './repair-dialog.ts';
import { createTables } from './tables.ts';
import { createTiles } from './tiles.ts';

const LOOK_EVERY_MS = 2_000;
const CHART_EVERY = 5;

const verdict = byId('verdict', HTMLElement);
const updated = byId('updated', HTMLElement);
const showTiles = createTiles(byId('tiles', HTMLElement));
const showTables = createTables();
const showFailures = createFailures({ retry: askRetry, onRetried: () => void look() });
const ratesChart = createChart(
  byId('rates-chart', HTMLElement),
  [
    { label: 'published', color: '--good', area: true },
    { label: 'accepted', color: '--blue' },
    { label: 'retried', color: '--wait' },
    { label: 'failed', color: '--bad' },
  ],
  '',
);
const latencyChart = createChart(
  byId('latency-chart', HTMLElement),
  [
    { label: 'published p50', color: '--good' },
    { label: 'p99', color: '--wait' },
    { label: 'on screen p50', color: '--blue' },
  ],
  ' ms',
);
const showBacklog = createBacklog(
  createChart(
    byId('backlog-chart', HTMLElement),
    [
      { label: 'live', color: '--blue', area: true },
      { label: 'bulk', color: '--good' },
      { label: 'in backoff', color: '--wait' },
    ],
    '',
  ),
);

let writes = false;
/** When the figures on the page were read; empty before the first. */
let asOf = '';
const retryDialog = createRepairDialog({
  dialog: 'retry-dialog',
  opener: 'open-retry',
  request: (form) => {
    const code = form.get('code');
    return { since: form.get('since'), limit: Number(form.get('limit')), ...(code !== '' && { code }) };
  },
  ask: (request) => askRepair('retry-failed', request),
  done: 'retried',
  writes: () => writes,
  onDone: () => void look(),
});
createRepairDialog({
  dialog: 're-emit-dialog',
  opener: 'open-re-emit',
  request: (form) => ({
    [form.get('whose') === 'companyId' ? 'companyId' : 'appointmentId']: form.get('id'),
    since: form.get('since'),
    limit: Number(form.get('limit')),
  }),
  ask: (request) => askRepair('re-emit', request),
  done: 'emitted again',
  writes: () => writes,
  onDone: () => void look(),
});

/** Codes among the failures on the page, as choices of the retry. */
function offerCodes(failures: readonly FailedEmission[]): void {
  const select = retryDialog.form.elements.namedItem('code') as HTMLSelectElement;
  const known = new Set([...select.options].map(({ value }) => value));
  for (const { reason } of failures) {
    const code = /^([A-Z_]+): /.exec(reason)?.[1];
    if (code === undefined || known.has(code)) continue;
    known.add(code);
    select.append(create('option', '', code));
  }
}

function showVerdict(metrics: FleetMetricsReading, warnings: readonly string[]): void {
  const reasons = [...judge(metrics), ...warnings.map(sentence)];
  verdict.dataset.state = reasons.length > 0 ? 'attention' : 'well';
  setText(byId('verdict-title', HTMLElement), reasons.length > 0 ? 'Needs attention' : 'All is well');
  setReasons(reasons);
}

const sentence = (words: string): string => `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`;

function setReasons(reasons: readonly string[]): void {
  const list = byId('verdict-reasons', HTMLElement);
  if (list.textContent === reasons.join('')) return;
  setChildren(
    list,
    reasons.map((words) => create('li', '', words)),
  );
}

function show({ metrics, warnings, failures, writes: allowed }: OverviewReply): void {
  writes = allowed;
  showVerdict(metrics, warnings);
  showTiles(metrics);
  showTables(metrics);
  showBacklog(metrics);
  offerCodes(failures);
  showFailures(failures, { writes, now: Date.parse(metrics.at) });
  asOf = new Date(metrics.at).toLocaleTimeString();
  setText(updated, `as of ${asOf}`);
}

async function look(): Promise<void> {
  try {
    show(await askOverview());
  } catch (error) {
    verdict.dataset.state = 'unknown';
    if (asOf !== '') setText(updated, `not updated since ${asOf}`);
    setText(byId('verdict-title', HTMLElement), 'No answer');
    setReasons([`${error instanceof Error ? error.message : String(error)}. What stands below is old.`]);
  }
}

async function lookAtCharts(): Promise<void> {
  const { minutes, counts, latencyMs } = await askSeries();
  // The last minute is still filling: it would look like a drop.
  const full = <T>(values: T[]) => values.slice(0, -1);
  const { published, accepted, retried, failed } = counts;
  ratesChart.show(full(minutes), full(published), full(accepted), full(retried), full(failed));
  const { total, browser } = latencyMs;
  latencyChart.show(full(minutes), full(total.p50), full(total.p99), full(browser.p50));
}

/** One look at a time, none while nobody looks at the page. */
async function keepLooking(): Promise<void> {
  for (let looks = 0; ; looks += 1) {
    if (!document.hidden) {
      await Promise.all([look(), looks % CHART_EVERY === 0 && lookAtCharts().catch(() => undefined)]);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
void keepLooking();
