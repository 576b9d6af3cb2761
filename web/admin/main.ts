import './valid-language.ts';
import 'uplot/dist/uPlot.min.css';
import {
  type CompaniesReply,
  type DisconnectReport,
  type FailedEmission,
  type FleetMetricsReading,
  isolate,
  type OverviewReply,
  QUEUES,
  type RepairReport,
  type SeriesReply,
} from '@appointment-emissions/contracts';
import { BASE_PATH } from '../shared/base-path.ts';
import { byId, create, setChildren, setText } from '../shared/elements.ts';
import { createBacklog, createChart, type Line } from './chart.ts';
import { suggestCompanies } from './suggest-companies.ts';
import { createFailures } from './failures.ts';
import { findProblems } from './find-problems.ts';
import { createRepairDialog, describeDisconnect, describeRepair } from './repair-dialog.ts';
import { createTables } from './tables.ts';
import { createTiles } from './tiles.ts';

const API = `${BASE_PATH}/admin/api`;
const REQUEST_TIMEOUT_MS = 10_000;
const REFRESH_INTERVAL_MS = 2_000;
/** The charts change once a minute, so they are refreshed less often. */
const REFRESHES_PER_CHART_REFRESH = 5;

const verdict = byId('verdict', HTMLElement);
const updated = byId('updated', HTMLElement);
const showTiles = createTiles(byId('tiles', HTMLElement));
const showTables = createTables();
const showFailures = createFailures({
  retry: (emissionId) => callApi('retry', { emissionId }),
  onRetried: () => void refresh(),
});
const OUTCOME_LINES: readonly Line[] = [
  { label: 'published', color: '--good', area: true },
  { label: 'accepted', color: '--blue' },
  { label: 'retried', color: '--wait' },
  { label: 'failed', color: '--bad' },
];
const outcomeCharts = {
  live: createChart(byId('live-chart', HTMLElement), OUTCOME_LINES, ''),
  bulk: createChart(byId('bulk-chart', HTMLElement), OUTCOME_LINES, ''),
};
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
      { label: 'live in backoff', color: '--wait' },
      { label: 'bulk in backoff', color: '--bad' },
    ],
    '',
  ),
);

let writes = false;
/** Time of the metrics on the page; empty before the first refresh. */
let asOf = '';
const repairs = { writes: () => writes, onDone: () => void refresh() };
const findCompanies = (prefix: string) => callApi<CompaniesReply>(`companies?prefix=${prefix}`);

const retryDialog = createRepairDialog({
  ...repairs,
  dialog: 'retry-dialog',
  opener: 'open-retry',
  request: (form) => {
    const code = form.get('code');
    return { since: form.get('since'), limit: Number(form.get('limit')), ...(code !== '' && { code }) };
  },
  send: async (request) => describeRepair(await callApi<RepairReport>('retry-failed', request), 'retried'),
});

const reEmit = { dialog: 're-emit-dialog', opener: 'open-re-emit' };
suggestCompanies({ ...reEmit, find: findCompanies });
createRepairDialog({
  ...repairs,
  ...reEmit,
  request: (form) => ({
    [form.get('whose') === 'companyId' ? 'companyId' : 'appointmentId']: form.get('id'),
    since: form.get('since'),
    limit: Number(form.get('limit')),
  }),
  send: async (request) => describeRepair(await callApi<RepairReport>('re-emit', request), 'emitted again'),
});

const disconnect = { dialog: 'disconnect-dialog', opener: 'open-disconnect' };
suggestCompanies({ ...disconnect, find: findCompanies });
createRepairDialog({
  ...repairs,
  ...disconnect,
  request: (form) => {
    const userId = form.get('userId');
    return { companyId: form.get('companyId'), ...(userId !== '' && { userId }) };
  },
  send: async (request) => describeDisconnect(await callApi<DisconnectReport>('disconnect', request)),
});

/** Calls the operator's API. The browser adds the credentials. @throws Error with the message of the API's error */
async function callApi<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(`${API}/${path}`, {
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    ...(body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const reply = (await response.json()) as T & { detail?: string };
  if (!response.ok) throw new Error(reply.detail ?? `the API replied with status ${response.status}`);
  return reply;
}

/** Adds the error codes of the failures on the page to the choices of the retry dialog. */
function addErrorCodes(failures: readonly FailedEmission[]): void {
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
  const problems = [...findProblems(metrics), ...warnings.map(toSentence)];
  verdict.dataset.state = problems.length > 0 ? 'attention' : 'well';
  setText(byId('verdict-title', HTMLElement), problems.length > 0 ? 'Needs attention' : 'Healthy');
  setProblems(problems);
}

const toSentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;

function setProblems(problems: readonly string[]): void {
  const list = byId('verdict-reasons', HTMLElement);
  if (list.textContent === problems.join('')) return;
  setChildren(
    list,
    problems.map((problem) => create('li', '', problem)),
  );
}

function show({ metrics, warnings, failures, operator, writes: allowed }: OverviewReply): void {
  writes = allowed;
  showVerdict(metrics, warnings);
  showTiles(metrics);
  showTables(metrics);
  showBacklog(metrics);
  addErrorCodes(failures);
  showFailures(failures, { writes, now: Date.parse(metrics.at) });
  asOf = new Date(metrics.at).toLocaleTimeString();
  setText(updated, `as of ${asOf} · ${isolate(operator.name)} (${operator.role})`);
}

async function refresh(): Promise<void> {
  try {
    show(await callApi<OverviewReply>('overview'));
  } catch (error) {
    verdict.dataset.state = 'unknown';
    if (asOf !== '') setText(updated, `not updated since ${asOf}`);
    setText(byId('verdict-title', HTMLElement), 'No reply from the API');
    setProblems([
      `${error instanceof Error ? error.message : String(error)}. The values below are out of date.`,
    ]);
  }
}

async function refreshCharts(): Promise<void> {
  const { minutes, byQueue, latencyMs } = await callApi<SeriesReply>('series');
  // The last minute is not complete and would look like a drop.
  const complete = <T>(values: T[]) => values.slice(0, -1);
  for (const queue of QUEUES) {
    const { published, accepted, retried, failed } = byQueue[queue];
    outcomeCharts[queue].show(complete(minutes), ...[published, accepted, retried, failed].map(complete));
  }
  const { total, browser } = latencyMs;
  latencyChart.show(complete(minutes), complete(total.p50), complete(total.p99), complete(browser.p50));
}

/** Refreshes the page periodically, but not while it is hidden. */
async function keepRefreshing(): Promise<void> {
  for (let refreshes = 0; ; refreshes += 1) {
    if (!document.hidden) {
      await Promise.all([
        refresh(),
        refreshes % REFRESHES_PER_CHART_REFRESH === 0 && refreshCharts().catch(() => undefined),
      ]);
    }
    await new Promise((resolve) => setTimeout(resolve, REFRESH_INTERVAL_MS));
  }
}
void keepRefreshing();
