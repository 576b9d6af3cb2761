import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { parse } from 'yaml';
import { PROMETHEUS_METRICS } from '../../src/metrics/prometheus-catalog.ts';
import { APPOINTMENT_EVENTS, LATENCY_STAGES, QUEUES } from '@appointment-emissions/contracts';
import { CATCH_UP_RESULTS, DISCONNECT_REASONS } from '../../src/domain/dashboard-outcomes.ts';
import { EMISSION_SOURCES } from '../../src/domain/emission-log.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { OPERATIONS } from '../../src/http/docs/operations.ts';
import { ROLES } from '../../src/metrics/names.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}
interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: unknown;
  targets?: { expr: string; instant: boolean }[];
  fieldConfig: { defaults: { noValue?: string; unit?: string } };
}

const { groups } = parse(read('ops/alerts.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const board = JSON.parse(read('ops/grafana-dashboard.json')) as { panels: Panel[] };
const panels = board.panels.filter(({ type }) => type !== 'row');
const queries = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
];

const registry = new Registry();
collectDefaultMetrics({ register: registry });
/** Not ours: metrics of Node, and those that Prometheus adds for each process. */
const others = new Set([...(await registry.getMetricsAsJSON()).map(({ name }) => name), 'up']);
const { scrape_configs: scraped } = parse(read('ops/prometheus.yml')) as {
  scrape_configs: { job_name: string }[];
};
const jobs = scraped.map(({ job_name: job }) => job);

/** What each label may be, as the code has it. */
const VALUES: Record<string, readonly string[]> = {
  role: ROLES,
  stage: LATENCY_STAGES,
  event: APPOINTMENT_EVENTS,
  reason: [...Object.keys(ERROR_CODES), ...DISCONNECT_REASONS],
  state: ['waiting', 'prioritized', 'delayed', 'active', 'failed'],
  queue: QUEUES,
  source: EMISSION_SOURCES,
  result: CATCH_UP_RESULTS,
  route: OPERATIONS.map(({ path }) => path),
  code: ['5..'],
};

const HISTOGRAM_PART = /_(?:bucket|count)$/;

function describedAs(name: string): { type: string; labels: readonly string[] } | undefined {
  return (PROMETHEUS_METRICS as Record<string, { type: string; labels: readonly string[] }>)[
    name.replace(HISTOGRAM_PART, '')
  ];
}

/** Selectors of a query: `name{label="value", …}`. */
function selectors(query: string) {
  return [...query.matchAll(/\b((?:emission|process|nodejs)_\w+|up)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', labels = '']) => ({
      name,
      labels: [...labels.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(
        ([, label = '', , value = '']) => ({ label, value }),
      ),
    }),
  );
}

test.each(queries)('%s: the metrics and labels in its query are those of the code', (_title, query) => {
  const found = selectors(query);
  expect(found.length).toBeGreaterThan(0);
  for (const { name, labels } of found) {
    const own = describedAs(name);
    const isPart = HISTOGRAM_PART.test(name);
    expect([name, own ? (own.type === 'histogram') === isPart : others.has(name)]).toEqual([name, true]);
    for (const { label, value } of labels) {
      if (label === 'instance') continue;
      if (name === 'up') {
        expect(label === 'job' && jobs).toContain(value);
        continue;
      }
      expect([name, own?.labels]).toEqual([name, expect.arrayContaining([label])]);
      for (const word of value.split('|')) expect(VALUES[label]).toContain(word);
    }
  }
  for (const [, grouped = ''] of query.matchAll(/\bby \(([^)]+)\)/g)) {
    const own = describedAs(found[0]!.name);
    for (const label of grouped.split(/,\s*/))
      expect(['le', 'instance', ...(own?.labels ?? [])]).toContain(label);
  }
});

test.each(queries)(
  '%s: its query has balanced brackets, and uses counters by their increase',
  (_title, query) => {
    for (const [open, close] of ['()', '{}', '[]']) {
      expect(query.split(open!).length).toBe(query.split(close!).length);
    }
    for (const { name } of selectors(query)) {
      const isCounter = name.endsWith('_total') || HISTOGRAM_PART.test(name);
      expect([name, new RegExp(`(rate|increase)\\(\\s*${name}\\b`).test(query)]).toEqual([name, isCounter]);
    }
  },
);

test('every alarm has a severity and a link to its paragraph', () => {
  const headings = [...read('docs/reference/alarms.md').matchAll(/^## (Emission\w+)$/gm)].map(
    ([, heading]) => heading,
  );
  expect(headings).toEqual(rules.map(({ alert }) => alert));
  for (const { alert, labels, annotations } of rules) {
    expect(['page', 'ticket']).toContain(labels.severity);
    expect(annotations.runbook).toBe(`docs/reference/alarms.md#${alert.toLowerCase()}`);
    expect(annotations.summary).toEqual(expect.any(String));
  }
});

test('there is an alarm for each listed condition', () => {
  const alarms = rules.map(({ alert }) => alert);
  for (const alarm of ['FailureRateHigh', 'WaitingTooLong', 'WorkerWithoutProgress', 'NoGateway']) {
    expect(alarms).toContain(`Emission${alarm}`);
  }
});

test('each alarm has a test case in which it fires, and one in which it does not', () => {
  const { tests } = parse(read('ops/alerts.test.yml')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[];
  };
  const cases = tests.flatMap(({ alert_rule_test: expected }) => expected);
  const casesThat = (fire: boolean) =>
    new Set(
      cases.filter((one) => (one.exp_alerts ?? []).length > 0 === fire).map(({ alertname }) => alertname),
    );
  const alarms = rules.map(({ alert }) => alert).sort();
  expect([...casesThat(true)].sort()).toEqual(alarms);
  expect([...casesThat(false)].sort()).toEqual(alarms);
});

test('the admin page has the same limits as the alarms', () => {
  const source = read('web/admin/find-problems.ts');
  const limit = (name: string) =>
    Number(new RegExp(`${name} = ([\\d_.]+)`).exec(source)![1]!.replaceAll('_', ''));
  const threshold = (alert: string) =>
    Number(/> ([\d.]+)/.exec(rules.find((rule) => rule.alert === alert)!.expr)![1]);
  expect(limit('FAILING_TOO_OFTEN')).toBe(threshold('EmissionFailureRateHigh'));
  expect(limit('LIVE_WAITING_TOO_LONG_MS')).toBe(threshold('EmissionWaitingTooLong') * 1_000);
  expect(limit('BULK_WAITING_TOO_LONG_MS')).toBe(threshold('EmissionBulkWaitingTooLong') * 1_000);
  expect(limit('IDLE_TOO_LONG_MS')).toBe(threshold('EmissionWorkerWithoutProgress') * 1_000);
  expect(limit('IDLE_TOO_LONG_MS')).toBe(threshold('EmissionGatewayDeaf') * 1_000);
});

test('the panels of the board have unique ids and places, and one selectable data source', () => {
  const ids = board.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const taken = new Set<string>();
  for (const { gridPos, title } of board.panels) {
    const { x, y, w, h } = gridPos;
    expect(x + w).toBeLessThanOrEqual(24);
    for (let column = x; column < x + w; column += 1)
      for (let line = y; line < y + h; line += 1) {
        expect([title, taken.has(`${column} ${line}`)]).toEqual([title, false]);
        taken.add(`${column} ${line}`);
      }
  }
  for (const { datasource } of panels)
    expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
});

test('every panel has a description and a unit; a single figure is the current one, with a text for no value', () => {
  for (const { title, type, description, targets = [], fieldConfig } of panels) {
    expect([title, description]).toEqual([title, expect.stringMatching(/./)]);
    expect([title, fieldConfig.defaults.unit]).toEqual([title, expect.stringMatching(/./)]);
    expect([title, targets.length > 0]).toEqual([title, true]);
    const isFigure = type === 'stat';
    expect([title, targets.map(({ instant }) => instant)]).toEqual([title, targets.map(() => isFigure)]);
    if (isFigure)
      expect([title, fieldConfig.defaults.noValue]).toEqual([
        title,
        expect.stringMatching(/unknown|nothing/),
      ]);
  }
});
